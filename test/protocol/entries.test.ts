import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OwnerEntry, ownerEntryFromLine, ownerEntryToLine, PLATFORM_PARTS, type ReplayedMessage } from '../../protocol/entries.ts';
import { plain, SEED } from './arbitraries.ts';

const at = fc.integer({ min: 0, max: 253_402_300_799_999 });
const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const body = fc.dictionary(label, fc.oneof(label, fc.integer(), fc.boolean(), fc.dictionary(label, fc.integer())));

const entry: fc.Arbitrary<Exclude<OwnerEntry, ReplayedMessage>> = fc.oneof(
  fc.record({ kind: fc.constant('tick' as const), at }),
  fc.record({ kind: fc.constant('commit' as const), at, import: label }),
  fc.record({
    kind: fc.constant('platform' as const),
    at,
    platform: fc.oneof(
      fc.record({ part: fc.constantFrom(...PLATFORM_PARTS), state: fc.constantFrom('down' as const, 'up' as const) }),
      fc.record({ part: fc.constant('broker' as const), state: fc.constant('down' as const), node: label }),
      fc.record({ part: fc.constant('clock' as const), state: fc.constant('step' as const), ms: fc.integer() }),
    ),
  }),
  fc.record({ kind: fc.constant('operator' as const), at, body }),
  fc.record({ kind: fc.constant('rules' as const), at, body, by: label }, { requiredKeys: ['kind', 'at', 'body'] }),
  fc.record(
    {
      kind: fc.constant('registry' as const),
      at,
      import: label,
      change: fc.oneof(
        fc.record({
          table: fc.constant('merchants' as const),
          row: fc.record({ acquirer: label, merchant: label, terminal_limit: fc.nat(1000) }, { requiredKeys: ['acquirer', 'merchant'] }),
        }),
        fc.record({
          table: fc.constant('bindings' as const),
          row: fc.record({ op: fc.constant('unbind' as const), acquirer: label, sn: fc.constant('SN01') }),
        }),
      ),
    },
    { requiredKeys: ['kind', 'at', 'change'] },
  ),
);

describe("an owner's entry", () => {
  it('comes back from its line, also through JSON', () => {
    fc.assert(
      fc.property(entry, (e) => {
        expect(ownerEntryFromLine(plain(ownerEntryToLine(e)))).toEqual({ ok: true, entry: plain(e) });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('is read from the lines that the contract shows', () => {
    const kinds = [
      { at: 1, registry: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', terminal_limit: '10', tz: '' } } },
      { at: 1, operator: { op: 'ack', alert: 'a', by: 'eve' } },
      { at: 1, operator: { op: 'silence', id: 's', match: { merchant: 'm-1001' }, until: 5, by: 'eve' } },
      { at: 1, rules: { version: 1 }, by: 'eve' },
      { at: 1, platform: { part: 'broker', state: 'down' } },
      { at: 1, platform: { part: 'clock', state: 'step', ms: -40_000 } },
      { at: 1, tick: true },
    ].map((line) => {
      const read = ownerEntryFromLine(line);
      return read.ok ? read.entry.kind : read.problem;
    });
    expect(kinds).toEqual(['registry', 'operator', 'operator', 'rules', 'platform', 'platform', 'tick']);
  });

  it('keeps who set the rules', () => {
    expect(ownerEntryFromLine({ at: 1, rules: {}, by: 'eve' })).toEqual({ ok: true, entry: { kind: 'rules', at: 1, body: {}, by: 'eve' } });
  });

  it('of the registry says which table and column is wrong', () => {
    const line = { at: 1, registry: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm', terminal_limit: 'ten' } } };
    expect(ownerEntryFromLine(line)).toEqual({ ok: false, problem: 'merchants: terminal_limit: expected number' });
  });

  it.each([
    [null],
    [5],
    [{}],
    [{ at: 1 }],
    [{ tick: true }],
    [{ at: 1, tick: false }],
    [{ at: -1, tick: true }],
    [{ at: 1.5, tick: true }],
    [{ at: '1', tick: true }],
    [{ at: 1, platform: { part: 'moon', state: 'down' } }],
    [{ at: 1, platform: { part: 'clock', state: 'step' } }],
    [{ at: 1, platform: { part: 'broker', state: 'step', ms: 1 } }],
    [{ at: 1, registry: { table: 'toString', row: {} } }],
    [{ at: 1, registry: { table: 'merchants', row: 'x' } }],
    [{ at: 1, operator: 'ack' }],
  ])('is not read from %j', (line) => {
    expect(ownerEntryFromLine(line).ok).toBe(false);
  });

  it('or a problem is what any JSON gives: never an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('registry', 'platform', 'operator', 'rules', 'commit', 'tick'), (value, member) => {
        const read = ownerEntryFromLine({ at: 1, [member]: value });
        return read.ok || read.problem.length > 0;
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});
