import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FRAME_BYTES } from '../../broker/front/frames.ts';
import { eventually } from '../helpers/eventually.ts';
import { testBroker } from './harness.ts';

const MEGABYTE = 1024 * 1024;

async function rawSocket(port: number) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, closed: new Promise<void>((resolve) => socket.once('close', () => resolve())) };
}

describe('a hostile client', () => {
  it('that announces 256 MB is cut off at once: nothing is gathered, and its neighbours are served', async () => {
    const { port, terminal, broker, payloads } = await testBroker();
    const neighbour = await terminal('acme/SN000001');
    const attackers = await Promise.all(Array.from({ length: 50 }, () => rawSocket(port)));
    const body = Buffer.alloc(MEGABYTE);
    const before = process.memoryUsage().arrayBuffers;

    for (const { socket } of attackers) {
      socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
      socket.write(body);
    }
    await Promise.all(attackers.map(({ closed }) => closed));
    await neighbour.publish('pos/v1/acme/SN000001/report', 'served');

    expect(payloads()).toEqual(['served']);
    await eventually(() => expect(broker.stats().refusals).toEqual({ oversized: 50 }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * MEGABYTE);
  });

  it('that logged in and then sends an oversized packet is cut off before its body, and named in the log', async () => {
    const { terminal, broker, records } = await testBroker();
    const client = await terminal('acme/SN000001');

    client.socket.write(
      Buffer.from([0x32, 0x80 | (MAX_FRAME_BYTES & 0x7f), 0x80 | ((MAX_FRAME_BYTES >> 7) & 0x7f), (MAX_FRAME_BYTES >> 14) + 1]),
    );
    await client.closed;

    await eventually(() =>
      expect(records()).toContainEqual(expect.objectContaining({ kind: 'refusal', reason: 'oversized', user: 'acme/SN000001' })),
    );
    expect(broker.stats().refusals).toEqual({ oversized: 1 });
  });

  it('that sends garbage is cut off, whatever it is, and the broker lives', async () => {
    const { port, terminal, payloads, broker } = await testBroker();
    const neighbour = await terminal('acme/SN000001');
    const start = fc.constantFrom(
      Buffer.alloc(0),
      Buffer.from([0x10]),
      Buffer.from([0x30, 0x05]),
      Buffer.from([0x82, 0x7f]),
      Buffer.from('GET / HTTP/1.1\r\n'),
    );

    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ minLength: 1, maxLength: 300 }), async (head, bytes) => {
        const { socket, closed } = await rawSocket(port);
        socket.end(Buffer.concat([head, bytes]));
        socket.resume();
        await closed;
      }),
      { seed: 6, numRuns: 200 },
    );

    await neighbour.publish('pos/v1/acme/SN000001/report', 'served');
    expect(payloads()).toEqual(['served']);
    expect(broker.stats().refusals.bad_packet).toBeGreaterThan(10);
    await eventually(() => expect(broker.stats().connections).toBe(1));
  });

  it('that publishes before it has logged in is cut off', async () => {
    const { port, payloads } = await testBroker();
    const { socket, closed } = await rawSocket(port);
    socket.resume();

    socket.write(Buffer.from([0x30, 0x04, 0x00, 0x01, 0x61, 0x62]));
    await closed;

    expect(payloads()).toEqual([]);
  });

  it('cannot open more connections than the broker allows', async () => {
    const { terminal, broker } = await testBroker({ limits: { connections: 2 } });
    const [one] = [await terminal('acme/SN000001'), await terminal('acme/SN000002')];

    await expect(terminal('acme/SN000003')).rejects.toThrow();

    expect(broker.stats().refusals).toEqual({ too_many_connections: 1 });
    await one.ping();
  });
});

describe('the list of refusals', () => {
  it('holds at most ten a second; the rest is counted', async () => {
    const { terminal, records, broker, clock } = await testBroker({ limits: { identity_failures: 0 } });
    const refusals = () => records().filter((record) => record.kind === 'refusal');

    for (let i = 0; i < 25; i += 1) await terminal('acme/SN000001', { password: 'x' });
    await eventually(() => expect(refusals()).toHaveLength(10));
    expect(broker.stats()).toMatchObject({ refusals: { malformed: 25 }, refusalsUnlisted: 15 });

    clock.pass(1_000);
    await terminal('acme/SN000001', { password: 'x' });
    await eventually(() => expect(refusals()).toHaveLength(11));
  });

  it('says who, why and from where', async () => {
    const { terminal, records } = await testBroker();

    await terminal('acme/SN000001', { clientId: 'SN000002' });

    await eventually(() =>
      expect(records()).toContainEqual(
        expect.objectContaining({
          kind: 'refusal',
          node: 'node-1',
          user: 'acme/SN000001',
          reason: 'foreign_client_id',
          detail: 'client id SN000002 from 127.0.0.1',
        }),
      ),
    );
  });

  it('shows no token, wherever a client put it, and neither does anything else the broker writes', async () => {
    const { terminal, noc, token, log, lines, key } = await testBroker();
    const secret = token('acme/SN000001');
    const signature = secret.split('.')[4]!;
    const tool = await noc('grafana');
    await tool.subscribe('$SYS/#');

    await terminal('acme/SN000001', { username: secret, password: secret });
    await terminal('acme/SN000001', { clientId: secret });
    await terminal('acme/SN000002', { password: secret });
    const client = await terminal('acme/SN000001', { password: secret });
    await client.subscribe(secret);
    await expect(client.publish(secret, 'x')).rejects.toThrow();
    await tool.ping();

    const written = Buffer.concat(log.records).toString('latin1') + lines.join() + JSON.stringify(tool.messages);
    expect(written).toContain('tw1.***');
    expect(written).not.toContain(signature);
    expect(written).not.toContain(key.secret);
  });

  it('shows names without control characters, cut to 100', async () => {
    const { terminal, records } = await testBroker();

    await terminal('acme/SN000001', { username: `a\u001b[31m\n\u202e${'é'.repeat(300)}` });

    await eventually(() => expect(records()).toContainEqual(expect.objectContaining({ kind: 'refusal', user: `a[31m${'é'.repeat(95)}` })));
  });
});
