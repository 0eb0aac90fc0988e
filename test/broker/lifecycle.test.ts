import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { START, testBroker } from './harness.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';

describe('heartbeats', () => {
  it('begin before the broker listens, and come each second', async () => {
    const { records, clock } = await testBroker();
    expect(records()).toEqual([{ kind: 'heartbeat', at: START, node: 'node-1', boot: expect.any(String), uptime: 0 }]);

    clock.pass(1_000);
    await eventually(() => expect(records()).toHaveLength(2));
    clock.pass(1_000);
    await eventually(() => expect(records()).toHaveLength(3));

    expect(records().map((record) => record.at - START)).toEqual([0, 1_000, 2_000]);
    expect(new Set(records().map((record) => record.kind === 'heartbeat' && record.boot)).size).toBe(1);
  });

  it('do not pile up while the log is slow', async () => {
    const { log, records, clock } = await testBroker();
    log.hold();
    clock.pass(30_000);
    log.release();

    await eventually(() => expect(records()).toHaveLength(2));
  });
});

describe('starting', () => {
  it('is refused in one line where the address is taken', async () => {
    const { port } = await testBroker();

    await expect(testBroker({ listeners: [{ scheme: 'mqtt', host: '127.0.0.1', port }] })).rejects.toMatchObject({
      code: 'address_taken',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it('is refused for an address that this machine has not', async () => {
    await expect(testBroker({ listeners: [{ scheme: 'mqtt', host: '203.0.113.1', port: 0 }] })).rejects.toMatchObject({
      code: 'address_unusable',
    });
  });

  it('is refused for a node name that cannot stand in a topic', async () => {
    await expect(testBroker({ node: 'a/b' })).rejects.toMatchObject({ code: 'node_name' });
  });

  it('is refused where the log takes nothing', async () => {
    const { log } = await testBroker();
    log.fail('full');

    await expect(testBroker({ log })).rejects.toMatchObject({ code: 'full' });
  });
});

describe('stopping', () => {
  it('acknowledges what was on its way, logs no Will, and ends with a heartbeat', async () => {
    const { terminal, broker, log, payloads, records } = await testBroker();
    const client = await terminal(USER, { will: { topic: 'pos/v1/acme/SN000001/state', payload: 'lost' } });
    await client.subscribe('pos/v1/acme/SN000001/cmd');
    log.hold();
    client.send(...['a', 'b', 'c'].map((text) => client.publishPacket(REPORT, text)));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(3));

    const stopped = broker.stop();
    log.release();
    await stopped;
    await client.closed;

    expect(client.acknowledged).toHaveLength(3);
    expect(payloads()).toEqual(['a', 'b', 'c']);
    expect(records().at(-1)?.kind).toBe('heartbeat');
  });

  it('acknowledges nothing that comes too late', async () => {
    const { terminal, broker, log, payloads } = await testBroker();
    const [client, late] = [await terminal(USER), await terminal('acme/SN000002')];
    log.hold();
    client.send(client.publishPacket(REPORT, 'in time'));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(1));

    const stopped = broker.stop();
    const refused = expect(late.publish('pos/v1/acme/SN000002/report', 'too late')).rejects.toThrow('ended');
    await new Promise(setImmediate);
    log.release();
    await stopped;
    await refused;

    expect(payloads()).toEqual(['in time']);
  });

  it('frees the address, also of connections that never said a word or do not answer', async () => {
    const { terminal, broker, port } = await testBroker();
    const client = await terminal(USER);
    client.socket.pause();

    await broker.stop();

    const next = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => next.once('listening', resolve));
    await new Promise((resolve) => next.close(resolve));
  });
});
