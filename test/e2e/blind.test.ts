/** Operators are told that a part of ours is down, by the whole product over a real InfluxDB; an acquirer is not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { startInflux } from '../helpers/influx.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { Receiver } from '../helpers/receiver.ts';
import { lacks } from '../helpers/servers.ts';

const TEST_MS = 120_000;
const WITHIN = { within: 30_000, every: 100 };

async function receiver(installation: Installation, wanted: object): Promise<Receiver> {
  const made = await Receiver.start();
  await installation.api('/v1/webhooks', { url: made.url, ...wanted });
  return made;
}

const types = ({ told }: Receiver) => told.map(({ type, data }) => `${type} ${data.type} ${data.reason}`);

describe.skipIf(lacks('influxd'))('a store that dies', () => {
  test('is told to operators and to no acquirer, until it takes points again', { timeout: TEST_MS }, async () => {
    const influx = await startInflux();
    onTestFinished(() => influx.stop());
    const installation = await Installation.create({
      TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8',
      INFLUX_URL: influx.url,
      INFLUX_TOKEN: influx.token,
      INFLUX_ORG: influx.org,
      INFLUX_BUCKET: influx.bucket,
    });
    const rules = join(installation.paths.root, 'rules.json');
    await writeFile(rules, JSON.stringify({ 'platform.blind': { storeSeconds: 2 } }), { mode: 0o600 });
    await installation.start('start', { TILLWATCH_RULES: rules }).ready();
    const [noc, acme] = [await receiver(installation, {}), await receiver(installation, { acquirer: 'acme' })];
    const user = 'acme/SN000001';
    const client = await connectMqtt({
      port: installation.mqttPort()!,
      username: user,
      password: installation.token(user),
      clientId: 'SN000001',
    });
    let seq = 0;
    const timer = setInterval(() => {
      const body = { v: 1, session: 's1', seq: ++seq, samples: [{ at: Date.now() }] };
      void client.publish(`pos/v1/${user}/report`, JSON.stringify(body)).catch(() => {});
    }, 500);
    onTestFinished(() => clearInterval(timer));
    await eventually(async () => expect((await influx.points('terminal')).length).toBeGreaterThan(0), WITHIN);

    await influx.end('SIGKILL');
    await eventually(() => expect(types(noc)).toEqual(['alert.fired platform.blind store']), WITHIN);
    const [firing] = await installation.alerts();
    await influx.restart();
    await eventually(() => expect(types(noc)).toEqual(['alert.fired platform.blind store', 'alert.resolved platform.blind store']), WITHIN);

    expect(firing).toMatchObject({ type: 'platform.blind', state: 'firing', severity: 'critical', subject: { acquirer: null } });
    expect(types(acme)).toEqual([]);
    const rows = await eventually(async () => {
      const points = await influx.points('alert');
      expect(points).toHaveLength(2);
      return points;
    }, WITHIN);
    expect(rows.map(({ tags, fields }) => [tags.type, fields.transition, fields.reason])).toEqual([
      ['platform.blind', 'fired', 'store'],
      ['platform.blind', 'resolved', 'store'],
    ]);
    await client.disconnect();
    expect(await installation.stopAll()).toEqual([0]);
  });
});
