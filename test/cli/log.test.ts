import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prepareDataDir } from '../../backbone/layout.ts';
import { segmentPath } from '../../backbone/segments/files.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';
import { encodeOwnerRecord } from '../../collector/log/entries.ts';
import { encodeControl } from '../../protocol/control.ts';
import type { OwnerEntry } from '../../protocol/entries.ts';
import { encodeRecord } from '../../protocol/record.ts';
import { framesIn } from '../backbone/segments/frames.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli } from './harness.ts';

const T = 1_763_798_400_000;
const report = (n: number) => ({ v: 1, session: 's1', seq: n, samples: [{ at: T + n * 1_000 }] });

const arrival = (n: number, acquirer = 'acme', sn = 'SN000001', payload: object = report(n)) =>
  encodeRecord({
    kind: 'arrival',
    at: T + n * 1_000,
    node: 'n1',
    acquirer,
    sn,
    channel: 'report',
    payload: Buffer.from(JSON.stringify(payload)),
  });
const beat = (n: number) => encodeRecord({ kind: 'heartbeat', at: T + n * 1_000, node: 'n1', boot: 'b1', uptime: n * 1_000 });

/** Logs that nothing runs over: each array is a batch of the brokers' log, and the owner's entries come before the batch they name. */
async function logs(brokers: Uint8Array[][], owner: [before: number, entry: OwnerEntry][] = []) {
  const paths = await prepareDataDir(await tempDir());
  const write = async (dir: string, batches: Uint8Array[][]) => {
    const writer = await openSegmentWriter(dir, { segmentBytes: 64 * 1024 });
    for (const batch of batches) await writer.append(batch);
    await writer.close();
  };
  await write(paths.brokersLog, brokers);
  await write(
    paths.ownerLog,
    owner.map(([batch, entry]) => [encodeOwnerRecord({ before: { batch, index: 0 }, entry })]),
  );
  await write(paths.controlLog, [[encodeControl({ kind: 'keys', at: T })]]);
  return { paths, env: { TILLWATCH_DATA_DIR: paths.root } };
}

const tick = (n: number): OwnerEntry => ({ kind: 'tick', at: T + n * 1_000 });
const row = (sn: string, acquirer = 'acme'): OwnerEntry => ({
  kind: 'registry',
  at: T,
  change: { table: 'bindings', row: { op: 'bind', acquirer, merchant: 'm-1', sn } },
});

describe('log inspect', () => {
  it('says what is in each log, by kind and acquirer, and how far readers are', async () => {
    const { paths, env } = await logs(
      [
        [beat(0), arrival(1)],
        [arrival(2), arrival(3, 'constructor')],
        [encodeRecord({ kind: 'refusal', at: T, node: 'n1', user: 'x', reason: 'bad_token', detail: '' })],
      ],
      [[2, tick(1)]],
    );
    const reader = await openSegmentReader(paths.brokersLog);
    await reader.release('watch', 3);
    await reader.close();

    const asJson = await cli(['log', 'inspect', '--json'], { env });
    const asText = await cli(['log', 'inspect', 'brokers'], { env });

    const [brokers, owner, control] = asJson.out.map((line) => JSON.parse(line));
    expect(brokers).toMatchObject({
      log: 'brokers',
      first: { batch: 1, at: expect.any(Number) },
      last: { batch: 3 },
      batches: 3,
      records: 5,
      segments: [{ path: segmentPath(paths.brokersLog, 1), first: 1, last: 3 }],
      kinds: { heartbeat: { records: 1 }, report: { records: 3 }, refusal: { records: 1 } },
      acquirers: { acme: { records: 2 }, constructor: { records: 1 } },
      consumers: { watch: 3 },
      fill: { size: 0, full: false },
      damage: [],
      torn: [],
    });
    expect([owner.kinds, control.kinds]).toMatchObject([{ tick: { records: 1 } }, { keys: { records: 1 } }]);
    expect(asText).toMatchObject({ code: 0, said: [] });
    expect(asText.out.join('\n')).toMatch(/brokers: batches 1 \(2\d{3}-.*\) to 3 /);
    expect(asText.out.join('\n')).toContain('reader watch: needs batch 3 on, 1 to go');
  });

  it('of a folder that nothing has run over yet says that there is nothing, and of none that there is none', async () => {
    const { root } = await prepareDataDir(await tempDir());
    const none = join(root, 'none');

    expect((await cli(['log', 'inspect', 'owner'], { env: { TILLWATCH_DATA_DIR: root } })).out[0]).toBe('owner: no batch');
    expect(await cli(['log', 'inspect'], { env: { TILLWATCH_DATA_DIR: none } })).toMatchObject({
      code: 1,
      said: [`tillwatch: there is no data folder ${none}: name it in TILLWATCH_DATA_DIR`],
    });
  });
});

describe('log verify', () => {
  it('names what is damaged in any of the logs with its file, its place and what to do, and ends with 1', async () => {
    const { paths, env } = await logs([[arrival(1)], [arrival(2)], [arrival(3)]], [[2, tick(1)]]);
    const whole = await cli(['log', 'verify'], { env });
    const path = segmentPath(paths.brokersLog, 1);
    const { frames, bytes } = framesIn(path);
    bytes[frames[1]!.offset + 60]! ^= 1;
    await writeFile(path, bytes);

    const damaged = await cli(['log', 'verify'], { env });
    const asJson = await cli(['log', 'verify', 'brokers', '--json'], { env });

    expect([whole.code, whole.said, whole.out.length]).toEqual([0, [], 3]);
    expect(damaged.code).toBe(1);
    expect(damaged.out[1]).toBe(`  damaged: ${path} at offset ${frames[1]!.offset}: batch 2 is damaged or missing here`);
    expect(damaged.said).toEqual([expect.stringMatching(/^tillwatch: the logs are damaged: .*backup/)]);
    expect(JSON.parse(asJson.out[0]!)).toMatchObject({
      log: 'brokers',
      batches: 2,
      damage: [{ path, offset: frames[1]!.offset }],
      torn: [],
    });
    expect((await cli(['log', 'verify', 'control'], { env })).code).toBe(0);
  });

  it('calls what a crash left of the last batch torn, and no damage', async () => {
    const { paths, env } = await logs([[arrival(1)]]);
    const path = segmentPath(paths.brokersLog, 1);
    const { frames, bytes } = framesIn(path);
    bytes.fill(0xee, frames[0]!.offset + frames[0]!.size, frames[0]!.offset + frames[0]!.size + 99);
    await writeFile(path, bytes);

    const { code, out } = await cli(['log', 'verify', 'brokers'], { env });

    expect([code, out[1]]).toEqual([0, expect.stringMatching(/torn: .*99 bytes.*nothing is lost/)]);
  });
});

describe('log export', () => {
  const ats = (out: readonly string[]) => out.map((line) => (JSON.parse(line).at - T) / 1_000);

  it('prints the entries in the order that the owner made of them, and what it has not come to after them', async () => {
    const { env } = await logs(
      [[beat(0), arrival(1)], [arrival(2), beat(3)], [arrival(4)], [beat(20), arrival(21)]],
      [
        [1, row('SN000001')],
        [2, tick(1)],
        [3, tick(3)],
      ],
    );

    const { code, out, said } = await cli(['log', 'export'], { env });

    expect([code, said]).toEqual([0, []]);
    expect(ats(out)).toEqual([0, 1, 1, 2, 3, 4, 4, 20, 21]);
    expect(out.slice(-3, -1).map((line) => JSON.parse(line).platform)).toEqual([
      { part: 'broker', state: 'down', node: 'n1' },
      { part: 'broker', state: 'up', node: 'n1' },
    ]);
  });

  it('takes what it is asked for alone: a span of time, an acquirer, a terminal', async () => {
    const { env } = await logs(
      [[arrival(1), arrival(2, 'bolt'), arrival(3, 'acme', 'SN000002')]],
      [
        [1, row('SN000001')],
        [1, row('SN000002', 'bolt')],
        [2, tick(4)],
      ],
    );
    const asked = async (...args: string[]) => ats((await cli(['log', 'export', ...args], { env })).out);

    expect(await asked('--from', String(T + 2_000), '--to', new Date(T + 3_000).toISOString())).toEqual([2, 3]);
    expect(await asked('--acquirer', 'acme')).toEqual([0, 1, 3, 4]);
    expect(await asked('--sn', 'SN000002')).toEqual([0, 3, 4]);
    expect(await asked('--acquirer', 'acme', '--sn', 'SN000001', '--from', String(T + 1))).toEqual([1, 4]);
  });

  it('says where its beginning has been removed, and which batch is damaged', async () => {
    const paths = await prepareDataDir(await tempDir());
    const env = { TILLWATCH_DATA_DIR: paths.root };
    const writer = await openSegmentWriter(paths.brokersLog, { segmentBytes: 4096, maxBytes: 3 * 4096 });
    for (let n = 1; n < 9; n++) await writer.append([arrival(n, 'acme', 'SN000001', { ...report(n), note: 'x'.repeat(2_500) })]);
    await writer.close();
    const reader = await openSegmentReader(paths.brokersLog);
    const first = await reader.first();
    await reader.close();
    const removed = await cli(['log', 'export'], { env });
    const path = segmentPath(paths.brokersLog, first);
    const { frames, bytes } = framesIn(path);
    bytes[frames[0]!.offset + 60]! ^= 1;
    await writeFile(path, bytes);

    const damaged = await cli(['log', 'export'], { env });

    expect(removed).toMatchObject({ code: 0, said: [expect.stringContaining('removed the beginning')] });
    expect(ats(removed.out)[0]).toBe(first);
    expect([damaged.code, damaged.said.at(-1)]).toEqual([1, expect.stringContaining(`${path} at offset 64: batch ${first} is damaged`)]);
  });

  it('of a running product is byte for byte what --record wrote, through restarts, and replays to the same alerts', {
    timeout: 60_000,
  }, async () => {
    const installation = await Installation.create();
    const env = { TILLWATCH_DATA_DIR: installation.paths.root };
    const record = join(await tempDir(), 'record.jsonl');
    const recorded = async () => (await readFile(record, 'utf8')).trimEnd().split('\n');
    const broker = installation.start('broker');
    await broker.ready();
    const folder = await tempDir();
    await writeFile(join(folder, 'merchants.csv'), 'acquirer,merchant,terminal_limit\nacme,m-1,3\n');
    await writeFile(join(folder, 'terminals.csv'), 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,m-1,SN000002\nacme,m-1,SN000003\n');
    const client = await connectMqtt({
      port: broker.mqttPort!,
      username: 'acme/SN000001',
      password: installation.token('acme/SN000001'),
      clientId: 'SN000001',
    });
    onTestFinished(() => client.breakOff());
    let seq = 0;
    const publish = (payload: string | object) =>
      client.publish('pos/v1/acme/SN000001/report', typeof payload === 'string' ? payload : JSON.stringify(payload));
    const speak = async (times: number) => {
      for (let i = 0; i < times; i++) await publish({ v: 1, session: 'n', seq: ++seq, samples: [{ at: Date.now() }] });
      await publish('not JSON');
    };
    const sawAll = () => eventually(async () => expect((await recorded()).filter((line) => line.includes('"seq"'))).toHaveLength(seq));

    for (const round of [1, 2]) {
      const collector = installation.start('collector', {}, ['--record', record]);
      await collector.ready();
      if (round === 1) expect((await cli(['import', folder], { env })).code).toBe(0);
      await speak(20);
      await sawAll();
      const running = await cli(['log', 'export'], { env });
      expect(running.out.length).toBeGreaterThan(20);
      if (round === 2) await broker.end('SIGTERM');
      const [last, within] = round === 1 ? ['"tick":true', 5_000] : ['"state":"down"', 15_000];
      await eventually(async () => expect((await recorded()).join('\n')).toContain(last), { within });
      await collector.end('SIGTERM');
    }

    const { code, out, said } = await cli(['log', 'export'], { env });
    expect([code, said]).toEqual([0, []]);
    expect(out).toEqual(await recorded());
    const alerts = await cli(['alerts', 'replay', '-', '--json'], { stdin: out.join('\n') });
    await installation.start('collector').ready();
    const live = await installation.alerts();
    expect(
      alerts.out
        .map((line) => JSON.parse(line))
        .filter(({ transition }) => transition === 'fired')
        .map(({ alert }) => alert.id),
    ).toEqual(live.map(({ id }) => id).reverse());
    expect(live.map(({ type }) => type)).toEqual(['platform.blind', 'quota.terminals']);
  });
});
