import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../faults/deliveries.ts';
import { insistOnImport, terminalsCsv } from '../faults/registry.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { Receiver, TEST_CA_FILE } from '../helpers/receiver.ts';
import { lacks } from '../helpers/servers.ts';
import { GENUINE, verdictsOn } from '../helpers/standard-webhooks.ts';

const TEST_MS = 60_000;
const WITHIN = { within: 20_000 };
/** So that a terminal's silence is told within seconds. */
const RULES = { 'terminal.offline': { lostHoldSeconds: 1, criticalAfterMinutes: 0.05 } };
const USER = 'acme/SN000009';

interface Webhook {
  id: string;
  secret: string;
  sequence: number;
  waiting: number;
}

async function started() {
  const installation = await Installation.create({ TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8' });
  const rules = join(installation.paths.root, 'rules.json');
  await writeFile(rules, JSON.stringify(RULES), { mode: 0o600 });
  const process = installation.start('start', { TILLWATCH_RULES: rules });
  await process.ready();
  return { installation, process };
}

/** A terminal that says who it is. */
async function login(installation: Installation, session: string) {
  const topic = (channel: string) => `pos/v1/${USER}/${channel}`;
  const will = { topic: topic('state'), payload: JSON.stringify({ v: 1, session, state: 'lost' }), qos: 1 as const, retain: true };
  const access = { username: USER, password: installation.token(USER), clientId: 'SN000009' };
  const client = await connectMqtt({ port: installation.mqttPort()!, ...access, will });
  await client.publish(topic('birth'), JSON.stringify({ v: 1, session, at: Date.now(), interval: 60, keepalive: 30 }));
  return client;
}

/** Everything that is in the files of some folders. */
async function contentOf(...folders: string[]): Promise<string> {
  const files = (await Promise.all(folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))))).flat();
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}

describe.skipIf(lacks('standardwebhooks-python'))('what a bank is told', () => {
  test('is genuine to the libraries of npm and of Python, delivery by delivery, and no secret is in any log', {
    timeout: TEST_MS,
  }, async () => {
    const { installation, process } = await started();
    const receiver = await Receiver.start();
    const types = () => receiver.told.map(({ type, data }) => `${type} ${data.reason} ${data.severity}`);
    const { id, secret } = await installation.api<Webhook>('/v1/webhooks', { url: receiver.url, acquirer: 'acme', language: 'zh' });

    await insistOnImport(installation, { name: 'merchants.csv', text: 'acquirer,merchant,terminal_limit,tz\nacme,m-1,4,Asia/Shanghai\n' });
    for (const n of [1, 2, 3, 4, 5]) await insistOnImport(installation, terminalsCsv([`acme,m-1,SN00000${n}`]));
    await insistOnImport(installation, terminalsCsv(['acme,m-2,SN000009']));
    (await login(installation, 's1')).socket.destroy();
    await eventually(() => expect(types()).toContain('alert.updated lost critical'), WITHIN);
    const back = await login(installation, 's2');
    await eventually(() => expect(types()).toContain('alert.resolved lost critical'), WITHIN);
    const { secret: rotated } = await installation.api<Webhook>(`/v1/webhooks/${id}/rotate`, {});
    await installation.api(`/v1/webhooks/${id}/test`, {});
    await eventually(() => expect(receiver.told.at(-1)).toMatchObject({ type: 'ping' }), WITHIN);
    await back.disconnect();

    expect(types()).toEqual(
      expect.arrayContaining(['alert.fired approaching critical', 'alert.updated over critical', 'alert.fired lost warning']),
    );
    expect(await verdictsOn(secret, receiver.deliveries)).toEqual(receiver.deliveries.map(() => GENUINE));
    expect(await verdictsOn(rotated, receiver.deliveries.slice(-1))).toEqual([GENUINE]);
    const { sequence: events } = await installation.api<Webhook>(`/v1/webhooks/${id}`);
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    expect(problemsOf(receiver.deliveries, { events, key })).toEqual([]);
    expect(JSON.stringify(receiver.told)).toContain('请解绑');
    const { brokersLog, ownerLog, controlLog } = installation.paths;
    const kept = await contentOf(brokersLog, ownerLog, controlLog);
    for (const text of [process.said, kept]) for (const hidden of [secret, rotated]) expect(text).not.toContain(hidden);
    expect(await installation.stopAll()).toEqual([0]);
  });
});

test('a receiver over TLS is delivered to where its certificate is trusted, and else not told a thing', { timeout: TEST_MS }, async () => {
  const installation = await Installation.create({ TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8' });
  const receiver = await Receiver.start({ tls: true });
  const stranger = installation.start('collector');
  await stranger.ready();
  const { id } = await installation.api<Webhook>('/v1/webhooks', { url: receiver.url });
  await installation.api(`/v1/webhooks/${id}/test`, {});
  const lastError = async () => (await installation.api<{ lastError: string | null }>(`/v1/webhooks/${id}`)).lastError;
  await eventually(async () => expect(await lastError()).toMatch(/certificate/), WITHIN);
  expect(receiver.deliveries).toEqual([]);
  await stranger.end('SIGTERM');

  await installation.start('collector', { NODE_EXTRA_CA_CERTS: TEST_CA_FILE }).ready();
  await installation.api(`/v1/webhooks/${id}/enable`, {});

  await eventually(() => expect(receiver.told.map(({ type }) => type)).toEqual(['ping']), WITHIN);
});
