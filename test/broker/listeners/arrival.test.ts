import { once } from 'node:events';
import { BlockList, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Scheme } from '../../../broker/listeners/listeners.ts';
import { newAuthority } from '../../helpers/authority.ts';
import { eventually } from '../../helpers/eventually.ts';
import { testBroker } from '../harness.ts';

async function everyKind() {
  const proxies = new BlockList();
  proxies.addAddress('127.0.0.2');
  const tls = await (await newAuthority()).server();
  const schemes: Scheme[] = ['mqtt', 'mqtts', 'ws', 'wss'];
  const listeners = schemes.map((scheme) => ({ scheme, host: '127.0.0.1', port: 0 }));
  return await testBroker({ tls, proxies, listeners, limits: { connections: 5 } });
}

async function open(port: number, more = {}) {
  const socket = connect({ port, host: '127.0.0.1', ...more });
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

describe('a connection that never arrives', () => {
  it.each([
    ['by TLS', 1, '\x16\x03\x01', '127.0.0.1'],
    ['by WebSocket', 2, 'GET /mqtt HTTP/1.1\r\nHost: x\r\n', '127.0.0.1'],
    ['by WebSocket over TLS', 3, '', '127.0.0.1'],
    ['from a balancer', 0, 'PROXY ', '127.0.0.2'],
  ])('%s is ended after ten seconds, and counted', async (_, index, bytes, localAddress) => {
    const { broker, clock } = await everyKind();
    const socket = await open(broker.addresses[index]!.port, { localAddress });
    const closed = once(socket, 'close');
    let acknowledged = false;
    socket.write(bytes, () => {
      acknowledged = true;
    });
    await eventually(() => expect(acknowledged).toBe(true));
    const other = await open(broker.addresses[0]!.port);
    other.write('x');
    await eventually(() => expect(broker.stats().refusals).toEqual({ bad_packet: 1 }));

    clock.pass(10_000);
    expect(broker.stats().refusals.connect_timeout).toBeUndefined();
    clock.pass(1_000);

    await closed;
    expect(broker.stats().refusals).toMatchObject({ connect_timeout: 1 });
  });
});

it('the limit to connections counts those of all listeners together', async () => {
  const { broker } = await everyKind();
  const ports = broker.addresses.map(({ port }) => port);
  const sockets = [];
  for (const port of [...ports, ports[0]!]) sockets.push(await open(port));

  const one = await open(ports[2]!);
  await once(one, 'close');

  expect(broker.stats().refusals).toEqual({ too_many_connections: 1 });
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual(Array(5).fill(false));
});
