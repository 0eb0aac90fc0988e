/** Payloads of every channel: what is made of them, and that the watch can bear all that is accepted. */
import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toColumns } from '../../protocol/codec/columnar.ts';
import { decodePayload } from '../../protocol/codec/decode.ts';
import { type Decoded, QUARANTINE_REASONS } from '../../protocol/codec/decoded.ts';
import { encodePayload } from '../../protocol/codec/encode.ts';
import { decodeRecord, encodeRecord } from '../../protocol/record.ts';
import { MAX_SAMPLES } from '../../protocol/schemas/messages.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { UP_CHANNELS, type UpChannel } from '../../protocol/topics.ts';
import { takeSaved } from '../../watch/fold/table.ts';
import { Watch } from '../../watch/fold/watch.ts';
import { message, plain, report, sample } from '../protocol/arbitraries.ts';
import { MONDAY, merchant, entry as ownerEntry, serial, terminal } from '../watch/support/log.ts';
import type { Budget } from './budget.ts';
import { onTheWire } from './json-text.ts';

const TERMINALS = 12;
const SESSIONS_KEPT = 257;
const RANGES_KEPT = 65;

const channel = fc.constantFrom(...UP_CHANNELS);
const zlibLike = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from([0x78, 0x9c, ...bytes]));
const bomb = fc.integer({ min: 900_000, max: 1_200_000 }).map((size) => deflateSync(Buffer.alloc(size, ' '), { level: 1 }));
const anyText = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));

const payload: fc.Arbitrary<{ channel: UpChannel; raw: Buffer }> = fc.oneof(
  {
    weight: 200,
    arbitrary: fc.tuple(message, onTheWire).map(([{ channel: own, body }, write]) => ({ channel: own, raw: write(JSON.stringify(body)) })),
  },
  { weight: 40, arbitrary: fc.tuple(channel, anyText, onTheWire).map(([own, text, write]) => ({ channel: own, raw: write(text) })) },
  { weight: 20, arbitrary: fc.record({ channel, raw: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) }) },
  { weight: 10, arbitrary: fc.record({ channel, raw: zlibLike }) },
  { weight: 1, arbitrary: fc.record({ channel, raw: bomb }) },
);

/** Whether the answer is a message, or a reason that people can do something with. The same bytes give the same answer. */
function judge(own: UpChannel, raw: Buffer): Decoded {
  const decoded = decodePayload(own, raw);
  assert.deepEqual(decodePayload(own, raw), decoded);
  if (decoded.ok) assert.equal(decoded.message.channel, own);
  else assert.ok(QUARANTINE_REASONS.includes(decoded.reason) && decoded.detail.length > 0 && decoded.detail.length <= 500);
  return decoded;
}

/** What was accepted and is sent on arrives as it was, but for groups that hold nothing and the sign of a zero. */
function sendOn(own: UpChannel, body: object): void {
  const encoded = encodePayload(body);
  if (!encoded.ok) return assert.equal(encoded.reason, 'oversized');
  const again = decodePayload(own, encoded.bytes);
  assert.ok(again.ok);
  assert.deepEqual(withoutEmptyGroups(again.message.body), withoutEmptyGroups(body));
}

function withoutEmptyGroups(value: object): unknown {
  return JSON.parse(JSON.stringify(value), (_, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) && Object.keys(member).length === 0 ? undefined : member,
  );
}

/** A watch that knows a merchant and some terminals, and is told whatever was accepted, by turns of one of them. */
function createFold() {
  const watch = new Watch();
  const known = Array.from({ length: TERMINALS - 2 }, (_, i) => serial(i + 1));
  for (const line of [merchant(MONDAY), ...known.map((sn) => terminal(MONDAY, sn))]) watch.step(ownerEntry(line));
  let [turn, at] = [0, MONDAY];
  return {
    watch,
    take(own: UpChannel, raw: Buffer, decoded: Decoded) {
      turn += 1;
      at += (turn * 7_919) % 90_000;
      const arrival = encodeRecord({
        kind: 'arrival',
        at,
        node: 'n',
        acquirer: 'acme',
        sn: serial(turn % TERMINALS),
        channel: own,
        payload: raw,
      });
      const record = decodeRecord(arrival);
      if (record.kind !== 'arrival' || Buffer.compare(record.payload, raw) !== 0) throw new Error('the record is another one');
      const { kind: _, payload: __, ...head } = record;
      watch.step({ ...head, kind: 'message', decoded });
    },
  };
}

/** Nothing grows with what was sent, and all of it can be saved and loaded. */
function expectBounded(watch: Watch): void {
  expect(watch.state.terminals.size).toBeLessThanOrEqual(TERMINALS);
  for (const { sessions } of watch.state.terminals.values()) {
    expect(sessions.length).toBeLessThanOrEqual(SESSIONS_KEPT);
    for (const { seen } of sessions) expect(seen.length).toBeLessThanOrEqual(RANGES_KEPT);
  }
  watch.beginSave();
  const rows = takeSaved(watch.tables, 1_000_000);
  const loaded = new Watch();
  loaded.load(rows);
  expect([...loaded.state.terminals.values()]).toEqual([...watch.state.terminals.values()].map((row) => plain(row)));
}

export function fuzzPayloads(budget: Budget, timeout: number): void {
  it('a payload is a message, or has a reason why it is none; and the watch bears every message', { timeout }, async () => {
    const fold = createFold();
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(payload, async ({ channel: own, raw }) => {
        await budget.played();
        const decoded = judge(own, raw);
        if (decoded.ok) {
          accepted += 1;
          sendOn(own, decoded.message.body);
        }
        fold.take(own, raw, decoded);
      }),
      budget.settings('payloads'),
    );
    expectBounded(fold.watch);
    expect(accepted / budget.settings('payloads').numRuns).toBeGreaterThan(0.1);
  });

  it('a batch in columns is as many samples as it has times, or has a reason why it is none', { timeout }, async () => {
    const fold = createFold();
    await fc.assert(
      fc.asyncProperty(columnar, async (raw) => {
        await budget.played();
        const decoded = judge('report', raw);
        if (decoded.ok && decoded.message.channel === 'report') {
          assert.ok(decoded.message.body.samples.length <= MAX_SAMPLES);
          sendOn('report', decoded.message.body);
        }
        fold.take('report', raw, decoded);
      }),
      budget.settings('columns'),
    );
    expectBounded(fold.watch);
  });
}

const name = fc.constantFrom(
  'signal.rsrp',
  'signal.rat',
  'power.mains',
  'outcomes',
  'radio.secondsByRat.lte',
  'at',
  'signal',
  '__proto__',
  'constructor',
  '',
);
const length = fc.oneof({ weight: 100, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.constantFrom(4_095, 4_096, 4_097, 60_000) });
const column = fc
  .tuple(length, fc.constantFrom<unknown>(null, -100, 'lte', true, {}, [], [{ system: 'a', code: '00', n: 1 }]))
  .map(([n, value]) => new Array(n).fill(value));

const inColumns = report.map(({ samples, ...rest }) =>
  JSON.stringify({ ...rest, ...toColumns(plain([...samples, ...samples]) as Sample[]) }),
);
const madeUp = fc.tuple(length, fc.array(fc.tuple(name, fc.oneof(column, sample)), { maxLength: 4 })).map(([n, columns]) => {
  const cols = columns.map(([key, values]) => `${JSON.stringify(key)}:${JSON.stringify(values)}`);
  return `{"v":1,"session":"s","seq":1,"at":${JSON.stringify(new Array(n).fill(MONDAY))},"cols":{${cols.join()}}}`;
});

/** Columns of real samples, and such as fit nothing: of other lengths, without values, of names that are none. */
const columnar = fc.tuple(fc.oneof(inColumns, madeUp), onTheWire).map(([text, write]) => write(text));
