/** A log that fills because nobody reads it, with real processes: alarm, refusal, and a recovery that loses nothing. */
import { expect, onTestFinished, test } from 'vitest';
import { cli } from '../cli/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';

const MIB = 1024 ** 2;
const PADDING = 'x'.repeat(60_000);
const WINDOW = 20;

test('it says so at 80 %, holds PUBACKs at 100 %, and goes on with every report once the collector has read it', {
  timeout: 120_000,
}, async () => {
  const installation = await Installation.create({ TILLWATCH_LOG_MAX_BYTES: String(128 * MIB), TILLWATCH_LOG_RESERVE_BYTES: '0' });
  const broker = installation.start('broker');
  await broker.ready();
  const login = { username: 'acme/SN000001', password: installation.token('acme/SN000001'), clientId: 'SN000001' };
  const connect = async () => {
    const client = await connectMqtt({ port: broker.mqttPort!, ...login });
    onTestFinished(() => client.breakOff());
    return client;
  };
  const first = await connect();
  const acknowledged = new Set<number>();
  const publish = async (client: typeof first, seq: number) => {
    const report = { v: 1, session: 's1', seq, samples: [{ at: Date.now() }], padding: PADDING };
    await client.publish('pos/v1/acme/SN000001/report', JSON.stringify(report));
    acknowledged.add(seq);
  };

  let seq = 0;
  const fill = async () => {
    for (; seq < 4_000; seq += WINDOW) await Promise.all(Array.from({ length: WINDOW }, (_, i) => publish(first, seq + i)));
  };
  await expect(fill()).rejects.toThrow();
  const held = acknowledged.size;
  // Its lines come by another way than the end of its connections.
  await eventually(() => {
    expect(broker.said).toMatch(/broker: the log has filled (8\d|9\d|100) % of its size limit with what is still unread/);
    expect(broker.said).toMatch(/the log is full.*: no report is acknowledged until it works again/);
  });
  const said = broker.said;
  const collector = installation.start('collector');
  await collector.ready();
  const readyAtFirst = (await fetch(`${collector.url}/readyz`)).status;
  await eventually(async () => expect((await fetch(`${collector.url}/readyz`)).status).toBe(200), { within: 60_000, every: 100 });
  const again = await eventually(async () => {
    const client = await connect();
    expect(client.returnCode).toBe(0);
    return client;
  });
  for (let i = 0; i < WINDOW; i++) await publish(again, seq + i);

  expect(said.match(/the log has filled/g)).toHaveLength(1);
  expect([readyAtFirst, held > 1_500]).toEqual([503, true]);
  await eventually(() => expect(broker.said).toMatch(/the log takes reports again[\s\S]*the log has room again/));
  await installation.settled(30_000);
  const blind = await eventually(async () => {
    const found = (await installation.alerts()).filter(({ type, state }) => type === 'platform.blind' && state === 'resolved');
    expect(found.flatMap(({ evidence }) => evidence.map(({ what }) => what))).toEqual(expect.arrayContaining(['log_down', 'log_up']));
    return found;
  });
  expect(blind.every(({ subject }) => subject.acquirer === null)).toBe(true);
  const { points } = await pointsOf(collector.url!);
  expect(points).toBeGreaterThanOrEqual(acknowledged.size);
  expect((await cli(['log', 'verify'], { env: { TILLWATCH_DATA_DIR: installation.paths.root } })).code).toBe(0);
  expect(installation.failures).toEqual([]);
});

async function pointsOf(url: string): Promise<{ points: number }> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return { points: Number(/^tillwatch_feed_points_total (\d+)$/m.exec(page)?.[1]) };
}
