import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { connectAsync } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { testBroker } from './harness.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const MOSQUITTO_PUB = '/usr/bin/mosquitto_pub';

describe('MQTT.js', () => {
  it('publishes, subscribes and is told a command', async () => {
    const { port, token, payloads, order, clock } = await testBroker();
    const client = await connectAsync({
      port,
      host: '127.0.0.1',
      protocol: 'mqtt',
      username: USER,
      password: token(USER),
      clientId: 'SN000001',
      reconnectPeriod: 0,
    });
    const received: string[] = [];
    client.on('message', (_topic, payload) => received.push(payload.toString()));

    await client.subscribeAsync('pos/v1/acme/SN000001/cmd', { qos: 1 });
    await client.publishAsync(REPORT, 'from MQTT.js', { qos: 1 });
    await order({ kind: 'command', at: clock.now(), acquirer: 'acme', sn: 'SN000001', command: { v: 1, id: 'c1', type: 'rebirth' } });

    await eventually(() => expect(received).toHaveLength(1));
    await client.endAsync();
    expect(payloads()).toEqual(['from MQTT.js']);
  });

  it('is told why it was refused', async () => {
    const { port } = await testBroker();
    const connecting = connectAsync({
      port,
      host: '127.0.0.1',
      protocol: 'mqtt',
      username: USER,
      password: 'wrong',
      clientId: 'SN000001',
      reconnectPeriod: 0,
    });

    await expect(connecting).rejects.toMatchObject({ code: 4 });
  });
});

describe.skipIf(!existsSync(MOSQUITTO_PUB))('mosquitto_pub', () => {
  const publish = (port: number, password: string, more: string[] = []) =>
    promisify(execFile)(MOSQUITTO_PUB, [
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-u',
      USER,
      '-P',
      password,
      '-i',
      'SN000001',
      '-q',
      '1',
      '-t',
      REPORT,
      '-m',
      'from mosquitto_pub',
      ...more,
    ]);

  it('publishes a report', async () => {
    const { port, token, payloads } = await testBroker();

    await publish(port, token(USER), ['--will-topic', 'pos/v1/acme/SN000001/state', '--will-payload', '{}', '--will-qos', '1']);

    expect(payloads()).toEqual(['from mosquitto_pub']);
  });

  it('ends with the CONNACK code where its token is wrong', async () => {
    const { port, payloads } = await testBroker();

    await expect(publish(port, 'wrong')).rejects.toMatchObject({ code: 4 });
    expect(payloads()).toEqual([]);
  });
});
