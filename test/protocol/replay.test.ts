import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPayload } from '../../protocol/codec/check.ts';
import { decodePayload } from '../../protocol/codec/decode.ts';
import type { MessageEntry, OwnerEntry } from '../../protocol/entries.ts';
import { entryFromLine, lineFromEntry } from '../../protocol/replay.ts';
import { message, plain, SEED } from './arbitraries.ts';

const AT = 1_763_798_400_000;
const read = (line: object) => entryFromLine(JSON.stringify(line));
const report = { v: 1, session: 's', seq: 1, samples: [{ at: AT }] };
const topic = 'pos/v1/acme/SN000001/report';

describe('a line of the replay format', () => {
  it('is a message with its payload', () => {
    expect(read({ at: AT, topic, payload: report })).toEqual({
      ok: true,
      entry: {
        kind: 'message',
        at: AT,
        node: '',
        acquirer: 'acme',
        sn: 'SN000001',
        channel: 'report',
        decoded: { ok: true, message: { channel: 'report', body: report } },
      },
    });
  });

  it.each([
    ['plain', Buffer.from(JSON.stringify(report))],
    ['deflated', deflateSync(JSON.stringify(report))],
  ])('is a message as its raw bytes, %s', (_, bytes) => {
    expect(read({ at: AT, topic, raw: bytes.toString('base64') })).toMatchObject({
      entry: { decoded: { ok: true, message: { body: report } } },
    });
  });

  it.each([
    ['a payload that breaks its schema', { payload: { v: 1 } }, 'bad_schema'],
    ['no bytes at all', { raw: '' }, 'bad_json'],
    ['torn bytes', { raw: Buffer.from('{"v":1').toString('base64') }, 'bad_json'],
  ])('is a message for quarantine where it holds %s', (_, content, reason) => {
    expect(read({ at: AT, topic, ...content })).toMatchObject({ ok: true, entry: { kind: 'message', decoded: { ok: false, reason } } });
  });

  it('is a message in columns', () => {
    const columns = { v: 1, session: 's', seq: 1, at: [AT, AT + 1], cols: { 'sim.usedBytes': [5, null] } };

    expect(read({ at: AT, topic, payload: columns })).toMatchObject({
      entry: { decoded: { ok: true, message: { body: { samples: [{ at: AT, sim: { usedBytes: 5 } }, { at: AT + 1 }] } } } },
    });
  });

  it('is a message from quarantine, with the time that it was of', () => {
    expect(read({ at: AT, replayOf: { at: 5 }, topic, payload: report })).toMatchObject({ entry: { at: AT, replayed: { at: 5 } } });
  });

  it.each([
    ['merchants', { acquirer: 'acme', merchant: 'm-1', terminal_limit: '10', limit_from: '2026-01-31' }, { terminal_limit: 10 }],
    ['terminals', { acquirer: 'acme', merchant: 'm-1', sn: 'SN000001', tid: '', lat: '31.2' }, { lifecycle: 'active', lat: 31.2 }],
    ['scopes', { acquirer: 'acme', open: 'true', card: 'credit' }, { open: true }],
    ['models', { model: 'A920', peripherals: 4 }, { peripherals: 4 }],
    ['bindings', { op: 'bind', acquirer: 'acme', merchant: 'm-1', sn: 'SN000001' }, { op: 'bind' }],
    ['bindings', { op: 'unbind', acquirer: 'acme', sn: 'SN000001' }, { op: 'unbind' }],
    ['bindings', { op: 'swap', acquirer: 'acme', old_sn: 'SN000001', new_sn: 'SN000002' }, { new_sn: 'SN000002' }],
  ])('is a row of %s', (table, row, want) => {
    expect(read({ at: AT, registry: { table, row } })).toMatchObject({
      ok: true,
      entry: { kind: 'registry', at: AT, change: { table, row: want } },
    });
  });

  it.each([
    [{ op: 'ack', alert: 'a-1', by: 'eve' }],
    [{ op: 'assign', alert: 'a-1', by: 'eve', text: 'bob' }],
    [{ op: 'comment', match: { type: 'terminal.offline', terminal: 'SN000001' }, by: 'eve', text: 'on it' }],
    [{ op: 'close', alert: 'a-1', by: 'eve' }],
    [{ op: 'silence', id: 's-1', match: { merchant: 'm-1001' }, from: 1, until: 2, by: 'eve' }],
    [{ op: 'maintenance', id: 's-1', match: { merchant: 'm-1001' }, until: 2, by: 'eve' }],
    [{ op: 'end', id: 's-1', by: 'eve' }],
  ])('is an operator’s action %j', (operator) => {
    expect(read({ at: AT, operator })).toEqual({ ok: true, entry: { kind: 'operator', at: AT, body: operator } });
  });

  it('is a set of rules, with who set it', () => {
    expect(read({ at: AT, rules: { a: 1 }, by: 'eve' })).toEqual({ ok: true, entry: { kind: 'rules', at: AT, body: { a: 1 }, by: 'eve' } });
  });

  it.each([
    [{ part: 'broker', state: 'down' }],
    [{ part: 'log', state: 'up' }],
    [{ part: 'store', state: 'down' }],
    [{ part: 'collector', state: 'up' }],
    [{ part: 'clock', state: 'step', ms: -40_000 }],
  ])('is a platform state %j', (platform) => {
    expect(read({ at: AT, platform })).toEqual({ ok: true, entry: { kind: 'platform', at: AT, platform } });
  });

  it('is a tick', () => {
    expect(read({ at: AT, tick: true })).toEqual({ ok: true, entry: { kind: 'tick', at: AT } });
  });

  it('is whatever else it says beside, too: members that are not known are left out', () => {
    expect(read({ at: AT, tick: true, note: 'x' })).toMatchObject({ ok: true, entry: { kind: 'tick' } });
  });
});

describe('a line that is no entry', () => {
  it.each([
    ['not JSON', '{"at":1,'],
    ['not JSON', 'hello'],
    ['not a JSON object', '[]'],
    ['not a JSON object', 'null'],
    ['not a JSON object', '7'],
    ['not an entry', '{}'],
    ['not an entry', `{"at":${AT}}`],
    ['not an entry', `{"at":${AT},"tick":false}`],
    ['not an entry', '{"tick":true}'],
    ['not an entry', '{"at":"now","tick":true}'],
    ['not an entry', `{"at":${AT},"platform":{"part":"kitchen","state":"down"}}`],
    ['not an entry', `{"at":${AT},"platform":{"part":"clock","state":"step"}}`],
    ['not an entry', `{"at":${AT},"registry":{"table":"shops","row":{}}}`],
    ['merchants: merchant', `{"at":${AT},"registry":{"table":"merchants","row":{"acquirer":"acme"}}}`],
    [
      'terminals: lifecycle',
      `{"at":${AT},"registry":{"table":"terminals","row":{"acquirer":"a","merchant":"m","sn":"SN01","lifecycle":"gone"}}}`,
    ],
    ['"at"', `{"topic":"${topic}","payload":{}}`],
    ['"at"', `{"at":-1,"topic":"${topic}","payload":{}}`],
    ['"at"', `{"at":1.5,"topic":"${topic}","payload":{}}`],
    ['"at"', `{"at":9007199254740991,"topic":"${topic}","payload":{}}`],
    ['"topic"', `{"at":${AT},"topic":"pos/v1/acme/SN000001/cmd","payload":{}}`],
    ['"topic"', `{"at":${AT},"topic":"pos/v2/acme/SN000001/report","payload":{}}`],
    ['"topic"', `{"at":${AT},"topic":7,"payload":{}}`],
    ['either', `{"at":${AT},"topic":"${topic}"}`],
    ['either', `{"at":${AT},"topic":"${topic}","payload":{},"raw":""}`],
    ['"raw"', `{"at":${AT},"topic":"${topic}","raw":7}`],
    ['"raw"', `{"at":${AT},"topic":"${topic}","raw":"not base64!"}`],
    ['"raw"', `{"at":${AT},"topic":"${topic}","raw":"abcde"}`],
    ['"replayOf"', `{"at":${AT},"topic":"${topic}","payload":{},"replayOf":{}}`],
    ['"replayOf"', `{"at":${AT},"topic":"${topic}","payload":{},"replayOf":null}`],
    ['"node"', `{"at":${AT},"topic":"${topic}","payload":{},"node":5}`],
  ])('is told with %s: %s', (problem, line) => {
    const result = entryFromLine(line);

    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.problem).toContain(problem);
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof entryFromLine(text).ok).toBe('boolean');
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});

describe('an entry as a line', () => {
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
  const sn = fc.stringMatching(/^[A-Za-z0-9-]{4,32}$/);
  const node = fc.constantFrom('', 'a', 'broker-1');
  const replayed = fc.option(time, { nil: undefined });
  const head = fc.record({ at: time, sn, node, replayed });

  type Head = { at: number; sn: string; node: string; replayed: number | undefined };
  const entryOf = (
    { at, sn: serial, node: of, replayed: when }: Head,
    channel: MessageEntry['channel'],
    decoded: MessageEntry['decoded'],
  ): MessageEntry => ({
    kind: 'message',
    at,
    node: of,
    acquirer: 'acme',
    sn: serial,
    channel,
    decoded,
    ...(when === undefined ? {} : { replayed: { at: when } }),
  });

  it('comes back as the message that it was', () => {
    fc.assert(
      fc.property(head, message, (h, m) => {
        const { channel, body } = plain(m);
        const entry = entryOf(h, channel, checkPayload(channel, body));

        expect(entryFromLine(lineFromEntry({ ...entry, raw: new Uint8Array() }))).toEqual({ ok: true, entry });
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('comes back for quarantine with the very bytes that could not be read', () => {
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 60 }), (h, raw) => {
        const entry = entryOf(h, 'report', decodePayload('report', raw));

        expect(entryFromLine(lineFromEntry({ ...entry, raw }))).toEqual({ ok: true, entry });
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('comes back as the entry of the owner that it was', () => {
    const entries: OwnerEntry[] = [
      { kind: 'tick', at: AT },
      { kind: 'commit', at: AT, import: 'i-1' },
      { kind: 'platform', at: AT, platform: { part: 'clock', state: 'step', ms: 7000, node: 'a' } },
      { kind: 'registry', at: AT, import: 'i-1', change: { table: 'models', row: { model: 'A920', peripherals: 2 } } },
      { kind: 'operator', at: AT, body: { op: 'ack', alert: 'a', by: 'eve' } },
      { kind: 'rules', at: AT, body: {}, by: 'eve' },
    ];

    expect(entries.map((e) => entryFromLine(lineFromEntry(e)))).toEqual(entries.map((entry) => ({ ok: true, entry })));
  });
});
