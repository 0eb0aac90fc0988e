/**
 * Eclipse's interoperability tests for MQTT 3.1.1 (eclipse/paho.mqtt.testing), where PAHO_TESTING names a folder with them: they come
 * in no package that could be installed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeRecord } from '../../protocol/record.ts';
import { type BareBroker, bareBroker } from './front/brokers.ts';

const RUNNER = fileURLToPath(new URL('../helpers/paho-testing.py', import.meta.url));
/** Their tests sleep, and they are eleven. */
const WITHIN_MS = 180_000;
const NOT_TO_BE_SUBSCRIBED = 'test/nosubscribe';

/** The folder of the tests, or undefined where there is none: then says so in one line. */
function testsFolder(): string | undefined {
  const given = process.env.PAHO_TESTING;
  if (!given) {
    process.stderr.write('SKIPPED: these tests need PAHO_TESTING, a folder with a copy of github.com/eclipse/paho.mqtt.testing\n');
    return undefined;
  }
  const folder = resolve(given, 'interoperability');
  if (!existsSync(resolve(folder, 'client_test.py'))) throw new Error(`PAHO_TESTING=${given} is no copy of paho.mqtt.testing`);
  return folder;
}

/**
 * Lets in whoever comes, under any name, to any topic but one: what these tests need, and no broker of ours may ever do. So it is
 * made here, of hooks that are exchanged, and is nothing that could be switched on. Messages still go into the log before their PUBACK,
 * and through the front, which watches over the keepalive.
 */
function openToAll({ parts }: BareBroker): void {
  const { aedes, sessions, publishing } = parts;
  const user = { kind: 'noc', user: 'noc:anybody', name: 'anybody' } as const;
  aedes.preConnect = (client, packet, done) => {
    // MQTT 3.1.1, 3.1.3-8: a session that is to be kept needs a name.
    if (packet.clientId !== '' || packet.clean) sessions.admit(client, user, { issued: 0, keyId: 'none' }, packet.keepalive || 1_200);
    packet.keepalive = 0;
    done(null, true);
  };
  aedes.authenticate = (client, _username, _password, done) =>
    sessions.of(client) ? done(null, true) : done(Object.assign(new Error('no client id'), { returnCode: 2 }), false);
  aedes.authorizePublish = (client, packet, callback) => {
    const record = encodeRecord({
      kind: 'arrival',
      at: 0,
      node: 'n',
      acquirer: 'a',
      sn: 'paho',
      channel: 'event',
      payload: Buffer.from(packet.payload),
    });
    publishing.append({ acquirer: 'a', channel: 'event' }, record, client ? sessions.of(client) : undefined, (error) =>
      callback(error ?? null),
    );
  };
  aedes.authorizeSubscribe = (_client, subscription, callback) =>
    callback(null, subscription.topic === NOT_TO_BE_SUBSCRIBED ? null : subscription);
  aedes.authorizeForward = (_client, packet) => packet;
}

const folder = testsFolder();

describe.skipIf(folder === undefined)("Eclipse's tests of MQTT 3.1.1", () => {
  it('pass, all of them', { timeout: WITHIN_MS }, async () => {
    const broker = await bareBroker('front');
    openToAll(broker);
    const ticking = setInterval(broker.parts.front.tick, 1_000);
    onTestFinished(() => clearInterval(ticking));

    const child = spawn('python3', [RUNNER, folder!, String(broker.port)]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const [results, said] = await Promise.all([text(child.stdout), text(child.stderr)]);

    expect(results, said).not.toBe('');
    expect(JSON.parse(results), said).toEqual({ ran: 11, failed: [] });
  });
});
