import { describe, expect, it } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { testBroker } from '../harness.ts';

const filter = (n: number) => `pos/v1/acme/SN${String(n).padStart(6, '0')}/report`;

describe('a limit to the filters of a connection', () => {
  it('refuses one more, in whatever packets they come, and lets a known one be renewed and a left one be replaced', async () => {
    const { noc, broker } = await testBroker({ limits: { subscriptions: 3 } });
    const tool = await noc('grafana');

    expect(await tool.subscribe([1, 2, 3, 4].map(filter))).toEqual([1, 1, 1, 128]);
    expect(await tool.subscribe(filter(5))).toEqual([128]);
    expect(await tool.subscribe(filter(1))).toEqual([1]);
    tool.send({ cmd: 'unsubscribe', messageId: 77, unsubscriptions: [filter(2)] });
    await tool.ping();
    expect(await tool.subscribe(filter(6))).toEqual([1]);

    expect(broker.stats()).toMatchObject({ refusals: { too_many_subscriptions: 2 }, limits: { subscriptions: 2 } });
    expect(await (await noc('other')).subscribe(filter(1))).toEqual([1]);
  });
});

describe('a limit to the levels of a topic', () => {
  const deep = ['pos/v1', ...Array(9).fill('x')].join('/');

  it('ends the connection that publishes to a deeper one', async () => {
    const { terminal, broker } = await testBroker();
    await expect((await terminal('acme/SN000001')).publish(deep, 'x')).rejects.toThrow('ended');
    await eventually(() => expect(broker.stats()).toMatchObject({ refusals: { too_many_levels: 1 }, limits: { topic_levels: 1 } }));
  });

  it('ends the connection that subscribes to a deeper one', async () => {
    const { noc, broker } = await testBroker();
    await expect((await noc('grafana')).subscribe(deep)).rejects.toThrow('ended');
    await eventually(() => expect(broker.stats().limits.topic_levels).toBe(1));
  });
});
