import { describe, expect, it } from 'vitest';
import { MAX_WIRE_BYTES } from '../../protocol/codec/limits.ts';
import { eventually } from '../helpers/eventually.ts';
import { START, testBroker } from './harness.ts';

const REPORT = 'pos/v1/acme/SN000001/report';
const STATE = 'pos/v1/acme/SN000001/state';

describe('publishing', () => {
  it('acknowledges a report only after the log has said that it is durable', async () => {
    const { log, terminal, payloads, broker } = await testBroker();
    const client = await terminal('acme/SN000001');
    log.hold();

    const acknowledged = client.publish(REPORT, 'one');
    await eventually(() => expect(broker.stats().pendingAppends).toBe(1));
    await client.ping();
    expect(client.acknowledged).toEqual([]);

    log.release();
    await acknowledged;
    expect(payloads()).toEqual(['one']);
  });

  it('keeps receive time, node, terminal, channel and the bytes as they came', async () => {
    const { terminal, arrivals, clock } = await testBroker();
    const client = await terminal('acme/SN000001');
    clock.pass(250);

    await client.publish(REPORT, Buffer.from([0x78, 0x00, 0xff]));

    expect(arrivals()).toEqual([
      {
        kind: 'arrival',
        at: START + 250,
        node: 'node-1',
        acquirer: 'acme',
        sn: 'SN000001',
        channel: 'report',
        payload: new Uint8Array([0x78, 0x00, 0xff]),
      },
    ]);
  });

  it('makes a window of 20 from one connection durable together, in the order it was sent', async () => {
    const { log, terminal, payloads, broker } = await testBroker();
    const client = await terminal('acme/SN000001');
    const names = Array.from({ length: 20 }, (_, i) => `r${i}`);
    const batchesBefore = log.batches.length;
    log.hold();

    client.send(...names.map((name) => client.publishPacket(REPORT, name)));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(20));
    log.release();
    await eventually(() => expect(client.acknowledged).toHaveLength(20));

    expect(log.batches.length - batchesBefore).toBe(1);
    expect(payloads()).toEqual(names);
    expect(client.acknowledged).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('lets reports that come one by one while the log is busy share its next batch', async () => {
    const { log, terminal, payloads, broker } = await testBroker();
    const client = await terminal('acme/SN000001');
    const batchesBefore = log.batches.length;
    log.hold();

    for (let i = 1; i <= 20; i += 1) {
      client.send(client.publishPacket(REPORT, `r${i}`));
      await eventually(() => expect(broker.stats().pendingAppends).toBe(i), { every: 1 });
    }
    log.release();
    await eventually(() => expect(client.acknowledged).toHaveLength(20));

    expect(log.batches.length - batchesBefore).toBe(1);
    expect(payloads()).toEqual(Array.from({ length: 20 }, (_, i) => `r${i + 1}`));
  });

  it('acknowledges nothing that the log refused, ends the connection, and takes the same report when the log works again', async () => {
    const { log, terminal, payloads, lines, clock, broker } = await testBroker();
    const client = await terminal('acme/SN000001', { will: { topic: STATE, payload: 'lost' } });
    log.fail('full');

    await expect(client.publish(REPORT, 'kept by the terminal')).rejects.toThrow('ended');
    expect((await terminal('acme/SN000001')).returnCode).toBe(3);
    expect(broker.stats().failedAppends).toBe(1);
    expect(lines).toEqual([expect.stringContaining('the log is full')]);

    log.heal();
    clock.pass(1_000);
    const again = await eventually(async () => {
      const retry = await terminal('acme/SN000001');
      expect(retry.returnCode).toBe(0);
      return retry;
    });
    await again.publish(REPORT, 'kept by the terminal', { dup: true });
    expect(payloads()).toEqual(['kept by the terminal']);
    expect(lines).toHaveLength(2);
  });

  it('logs no Will of a connection that it ended because its own log failed', async () => {
    const { log, terminal, payloads } = await testBroker();
    const client = await terminal('acme/SN000001', { will: { topic: STATE, payload: 'lost' } });
    const other = await terminal('acme/SN000002');
    log.hold();
    client.send(client.publishPacket(REPORT, 'one'));
    log.fail('failed');
    await client.closed;
    log.heal();
    log.release();

    await expect(other.publish('pos/v1/acme/SN000002/report', 'two')).rejects.toThrow();
    expect(payloads()).toEqual([]);
  });

  it('takes a QoS 0 report, and a QoS 2 report once it is durable', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal('acme/SN000001');

    await client.publish(REPORT, 'zero', { qos: 0 });
    await client.publish(REPORT, 'two', { qos: 2 });

    expect(payloads()).toEqual(['zero', 'two']);
  });

  it('takes a report that was sent again', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal('acme/SN000001');

    await client.publish(REPORT, 'same', { messageId: 7 });
    await client.publish(REPORT, 'same', { messageId: 7, dup: true });

    expect(payloads()).toEqual(['same', 'same']);
  });

  it('keeps the last state for those who subscribe later, and no report', async () => {
    const { terminal, noc, payloads } = await testBroker();
    const client = await terminal('acme/SN000001');
    await client.publish(STATE, 'online', { retain: true });
    await client.publish(REPORT, 'a report', { retain: true });

    const tool = await noc('grafana');
    await tool.subscribe('pos/v1/#');
    await client.publish(REPORT, 'a later report');

    await eventually(() => expect(tool.messages.map((message) => message.payload)).toEqual(['online', 'a later report']));
    expect(payloads()).toEqual(['online', 'a report', 'a later report']);
  });

  it('takes 64 KiB, and refuses one byte more', async () => {
    const { terminal, payloads, broker } = await testBroker();
    const client = await terminal('acme/SN000001');

    await client.publish(REPORT, Buffer.alloc(MAX_WIRE_BYTES, 'x'));
    await expect(client.publish(REPORT, Buffer.alloc(MAX_WIRE_BYTES + 1, 'x'))).rejects.toThrow('ended');

    expect(payloads()).toHaveLength(1);
    expect(broker.stats().refusals).toEqual({ oversized: 1 });
  });

  it('counts by channel what became durable', async () => {
    const { terminal, broker } = await testBroker();
    const client = await terminal('acme/SN000001');

    await client.publish('pos/v1/acme/SN000001/birth', '{}');
    await client.publish(REPORT, '{}');
    await client.publish(REPORT, '{}');

    expect(broker.stats()).toMatchObject({
      connections: 1,
      published: { birth: 1, report: 2, event: 0, state: 0, ack: 0 },
      pendingAppends: 0,
    });
  });
});
