/** Clients that others wrote, over each kind of listener. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectAsync, type IClientOptions } from 'mqtt';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Scheme } from '../../../broker/listeners/listeners.ts';
import { newAuthority } from '../../helpers/authority.ts';
import { eventually } from '../../helpers/eventually.ts';
import { lacks, serverPath } from '../../helpers/servers.ts';
import { testBroker } from '../harness.ts';

const PAHO = fileURLToPath(new URL('../../helpers/paho.py', import.meta.url));
const USER = 'acme/SN000001';
const SN = 'SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const COMMAND = { v: 1, id: 'c1', type: 'rebirth' } as const;

/** A broker that listens so, a terminal's log-in by a token or by a certificate, and the files that it needs. */
async function scene(scheme: Scheme, by: 'token' | 'certificate') {
  const authority = await newAuthority();
  const tls = { ...(await authority.server()), clientCaFile: authority.certFile };
  const running = await testBroker({ listeners: [{ scheme, host: '127.0.0.1', port: 0 }], tls });
  const own = by === 'certificate' ? await authority.client('/O=acme/CN=SN000001') : undefined;
  const password = by === 'token' ? running.token(USER) : undefined;
  const isEncrypted = scheme === 'mqtts' || scheme === 'wss';
  /** Until the terminal subscribes, nobody is there to be told. */
  const commandOnceReported = async () => {
    await eventually(() => expect(running.payloads()).toHaveLength(1));
    await running.order({ kind: 'command', at: running.clock.now(), acquirer: 'acme', sn: SN, command: COMMAND });
  };
  return { ...running, caFile: isEncrypted ? authority.certFile : undefined, own, password, commandOnceReported };
}

const KINDS: [Scheme, 'token' | 'certificate'][] = [
  ['mqtt', 'token'],
  ['mqtts', 'token'],
  ['mqtts', 'certificate'],
  ['ws', 'token'],
  ['wss', 'token'],
  ['wss', 'certificate'],
];

describe('MQTT.js', () => {
  it.each(KINDS)('reports and is told a command by %s, with a %s', async (scheme, by) => {
    const { port, caFile, own, password, commandOnceReported, payloads } = await scene(scheme, by);
    const options: IClientOptions = { clientId: SN, reconnectPeriod: 0, ...(password ? { username: USER, password } : {}) };
    if (caFile) options.ca = await readFile(caFile);
    if (own) Object.assign(options, { cert: await readFile(own.certFile), key: await readFile(own.keyFile) });
    const client = await connectAsync(`${scheme}://localhost:${port}/mqtt`, options);
    onTestFinished(() => client.endAsync(true));
    const received: string[] = [];
    client.on('message', (_topic, payload) => received.push(payload.toString()));

    await client.subscribeAsync('pos/v1/acme/SN000001/cmd', { qos: 1 });
    await client.publishAsync(REPORT, 'from MQTT.js', { qos: 1 });
    await commandOnceReported();

    await eventually(() => expect(received.map((one) => JSON.parse(one))).toEqual([COMMAND]));
    expect(payloads()).toEqual(['from MQTT.js']);
  });
});

describe.skipIf(lacks('paho-python'))('paho', () => {
  const run = (port: number, about: object) => {
    const child = spawn(serverPath('paho-python')!, [PAHO, JSON.stringify({ port, user: USER, sn: SN, report: 'from paho', ...about })]);
    onTestFinished(() => void child.kill('SIGKILL'));
    return { exit: once(child, 'exit'), out: text(child.stdout), errors: text(child.stderr) };
  };
  const transportOf = (scheme: Scheme) => (scheme.startsWith('ws') ? 'websockets' : 'tcp');

  it.each(KINDS)('reports and is told a command by %s, with a %s', async (scheme, by) => {
    const { port, caFile, own, password, commandOnceReported, payloads } = await scene(scheme, by);
    const about = { transport: transportOf(scheme), ca: caFile, cert: own?.certFile, key: own?.keyFile, password };

    const { exit, out, errors } = run(port, about);
    await commandOnceReported();

    expect([await exit, await errors]).toEqual([[0, null], '']);
    expect(JSON.parse(await out)).toEqual(COMMAND);
    expect(payloads()).toEqual(['from paho']);
  });

  it("is not let in with another terminal's certificate", async () => {
    const { port, caFile, own, broker } = await scene('mqtts', 'certificate');

    const { exit } = run(port, { transport: 'tcp', ca: caFile, cert: own?.certFile, key: own?.keyFile, sn: 'SN000002' });

    expect(await exit).toEqual([3, null]);
    expect(broker.stats().refusals).toEqual({ foreign_client_id: 1 });
  });
});

describe.skipIf(lacks('mosquitto_pub'))('mosquitto_pub and mosquitto_sub', () => {
  const program = (name: string) => join(dirname(serverPath('mosquitto_pub')!), name);

  it.each(KINDS.slice(1, 3))('report a state and see it by %s, with a %s', async (scheme, by) => {
    const { port, caFile, own, password, token, payloads } = await scene(scheme, by);
    const at = ['-h', 'localhost', '-p', String(port), '--cafile', caFile!];
    const login = own ? ['--cert', own.certFile, '--key', own.keyFile] : ['-u', USER, '-P', password!];
    const words = ['-i', SN, '-q', '1', '-r', '-t', 'pos/v1/acme/SN000001/state', '-m', 'from mosquitto_pub'];
    const tool = ['-u', 'noc:grafana', '-P', token('noc:grafana'), '-i', 'tool-1', '-t', 'pos/v1/#', '-C', '1'];

    await promisify(execFile)(program('mosquitto_pub'), [...at, ...login, ...words]);
    const { stdout } = await promisify(execFile)(program('mosquitto_sub'), [...at, ...tool]);

    expect(stdout).toBe('from mosquitto_pub\n');
    expect(payloads()).toEqual(['from mosquitto_pub']);
  });
});
