import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { openLmdbState } from '../../backbone/lmdb.ts';
import type { TerminalView } from '../../collector/api/views.ts';
import { statePaths } from '../../collector/app/ground.ts';
import type { Quarantined } from '../../collector/owner/outputs.ts';
import { Quarantine } from '../../collector/owner/quarantine.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { cli } from './harness.ts';

/** An installation whose quarantine holds messages that the version before this one could not read, as it would have left them. */
async function upgraded(rows: readonly Partial<Quarantined>[]) {
  const installation = await Installation.create();
  const path = statePaths(installation.paths).watch;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const state = await openLmdbState(path);
  const quarantine = new Quarantine(state, Number.POSITIVE_INFINITY);
  const blank = { node: 'node-1', from: 'acme/SN000001', channel: 'report', reason: 'bad_schema', detail: 'seq: missing', raw: null };
  const added = rows.flatMap((row, n) => quarantine.add({ ...blank, id: `${n + 1}-0`, at: Date.now() - 60_000 + n, ...row }, 'message'));
  await state.commit([...added, ...quarantine.prune(0)]);
  await state.close();
  const process = installation.start('start');
  await process.ready();
  return { installation, process, env: { TILLWATCH_DATA_DIR: installation.paths.root } };
}

const payload = (seq: number, at = Date.now() - 60_000) =>
  JSON.stringify({ v: 1, session: 's1', seq, samples: [{ at, power: { battery: seq / 100 } }] });
const base64 = (text: string) => Buffer.from(text).toString('base64');

it('quarantine is listed, shown and replayed by command, into the watch and the store, and survives a kill right after', {
  timeout: 60_000,
}, async () => {
  const { installation, process, env } = await upgraded([
    { raw: base64(payload(1)) },
    { raw: base64('{"v":1'), reason: 'bad_json', detail: '6 bytes' },
    { raw: base64(payload(3)), from: 'acme/SN000002' },
    { raw: base64(payload(4)), from: 'acme/SN000002' },
    { channel: null, reason: 'bad_token' },
  ]);
  const port = process.mqttPort!;
  const client = await connectMqtt({
    port,
    username: 'acme/SN000001',
    password: installation.token('acme/SN000001'),
    clientId: 'SN000001',
  });
  await client.publish('pos/v1/acme/SN000001/report', payload(9, Date.now()));

  const list = await cli(['quarantine', 'list'], { env });
  const some = await cli(['quarantine', 'list', '--from', 'acme/SN000002', '--json'], { env });
  const shown = await cli(['quarantine', 'show', '1-0'], { env });
  const none = await cli(['quarantine', 'show', '99-0'], { env });
  const replayed = await cli(['quarantine', 'replay', '1-0', '2-0', '5-0'], { env });
  await process.end('SIGKILL');
  await installation.start('start').ready();
  const again = await cli(['quarantine', 'replay', '1-0'], { env });
  const all = await cli(['quarantine', 'replay', '--all', '--from', 'acme/SN000002'], { env });

  expect(list.out).toHaveLength(5);
  expect(list.out.at(-1)).toMatch(/^1-0 {2}2\d{3}-.*Z {2}acme\/SN000001 {2}report {2}bad_schema: seq: missing$/);
  expect(some.out.map((line) => JSON.parse(line).id)).toEqual(['4-0', '3-0']);
  expect(shown.out).toEqual([list.out.at(-1), expect.stringContaining('"seq":1')]);
  expect(none).toMatchObject({ code: 1, out: [], said: ['tillwatch: there is no 99-0 in quarantine'] });
  expect(replayed.code).toBe(1);
  expect(replayed.said).toEqual([
    expect.stringMatching(/^1-0: replayed at 2/),
    expect.stringMatching(/^2-0: .*not JSON/),
    expect.stringMatching(/^5-0: .*never had a message/),
    'tillwatch: 2 of 3 were not replayed',
  ]);
  expect(again).toMatchObject({ code: 0, said: [replayed.said[0]] });
  expect(all).toMatchObject({ code: 0, said: ['2 replayed, 0 still cannot be read'] });
  expect((await cli(['quarantine', 'list', '--reason', 'bad_schema'], { env })).out).toEqual([]);
  const exported = (await cli(['log', 'export'], { env })).out.map((line) => JSON.parse(line)).filter(({ replayOf }) => replayOf);
  expect(exported.map(({ payload: { seq } }) => seq)).toEqual([1, 3, 4]);
  const first = await installation.api<TerminalView>('/v1/terminals/SN000001');
  const second = await installation.api<TerminalView>('/v1/terminals/SN000002');
  expect([first.last, second.last, second.lastSeenAt]).toMatchObject([{ power: { battery: 0.09 } }, { power: { battery: 0.04 } }, null]);
  await eventually(async () => {
    const page = await (await fetch(`${installation.url}/metrics`)).text();
    expect(Number(/^tillwatch_feed_points_total (\d+)$/m.exec(page)?.[1])).toBeGreaterThanOrEqual(2);
  });
});
