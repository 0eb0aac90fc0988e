import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { BlockList, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { newAuthority } from '../../helpers/authority.ts';
import { eventually } from '../../helpers/eventually.ts';
import { testBroker } from '../harness.ts';
import { connectPacket, reportPacket, v2Header } from './bytes.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const V1 = Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 56324 1883\r\n');

function balancers(...ranges: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, 'ipv4');
  return list;
}

const behind = (more = {}) => testBroker({ proxies: balancers(['127.0.0.0', 8]), ...more });

describe('a connection from a balancer', () => {
  it.each([
    ['1', V1, '192.0.2.7'],
    ['2', v2Header('2001:db8::7'), '2001:db8::7'],
    ['2, for itself', v2Header('192.0.2.7', { command: 0x20 }), '127.0.0.1'],
  ])('begins with a header of version %s: what follows is MQTT, and the log names the client', async (_, head, address) => {
    const { terminal, payloads, records } = await behind();

    const client = await terminal(USER, { head });
    await client.publish(REPORT, 'behind a balancer');
    await terminal(USER, { head, password: 'wrong' });

    expect(payloads()).toEqual(['behind a balancer']);
    expect(records()).toContainEqual(expect.objectContaining({ kind: 'refusal', detail: `client id SN000001 from ${address}` }));
  });

  it('may bring header and packets cut as it likes', async () => {
    const { port, token, payloads, broker } = await behind();
    const bytes = Buffer.concat([v2Header('192.0.2.7'), connectPacket(USER, token(USER)), reportPacket(REPORT, 1, 'cut')]);
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');

    for (let at = 0; at < bytes.length; at += 7) {
      socket.write(bytes.subarray(at, at + 7));
      await new Promise(setImmediate);
    }

    await eventually(() => expect(payloads()).toEqual(['cut']));
    expect(broker.stats().refusals).toEqual({});
    socket.destroy();
  });

  it('carries TLS after the header', async () => {
    const authority = await newAuthority();
    const tls = { ...(await authority.server()), clientCaFile: authority.certFile };
    const { terminal, payloads, records } = await behind({ tls, listeners: [{ scheme: 'mqtts', host: '127.0.0.1', port: 0 }] });
    const login = { ca: await readFile(authority.certFile, 'utf8'), head: v2Header('192.0.2.7') };

    const client = await terminal(USER, login);
    await client.publish(REPORT, 'both');
    await terminal(USER, { ...login, password: 'wrong' });

    expect(payloads()).toEqual(['both']);
    expect(records()).toContainEqual(expect.objectContaining({ kind: 'refusal', detail: 'client id SN000001 from 192.0.2.7' }));
  });

  it('ends where it does not begin with a header, and is counted', async () => {
    const { terminal, broker, records } = await behind();

    await expect(terminal(USER)).rejects.toThrow('ended');

    expect(broker.stats().refusals).toEqual({ bad_proxy_header: 1 });
    expect(records()).toContainEqual(expect.objectContaining({ kind: 'refusal', reason: 'bad_proxy_header', user: '' }));
  });

  it('that only looks whether anybody listens leaves nothing behind', async () => {
    const { port, broker, terminal } = await behind();
    for (const bytes of ['', 'PROXY ']) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.end(bytes);
      await once(socket.resume(), 'close');
    }

    expect((await terminal(USER, { head: V1 })).returnCode).toBe(0);
    expect(broker.stats()).toMatchObject({ refusals: {}, connections: 1 });
  });
});

it('a header from anybody else is no header: nobody can claim an address', async () => {
  const { terminal, broker } = await testBroker({ proxies: balancers(['10.0.0.0', 8]) });

  await expect(terminal(USER, { head: V1 })).rejects.toThrow('ended');
  await expect(terminal(USER, { head: v2Header('192.0.2.7') })).rejects.toThrow('ended');

  await eventually(() => expect(broker.stats().refusals).toEqual({ bad_packet: expect.any(Number) }));
  expect((await terminal(USER)).returnCode).toBe(0);
});
