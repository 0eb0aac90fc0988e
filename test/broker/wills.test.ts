import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { testBroker } from './harness.ts';

const USER = 'acme/SN000001';
const STATE = 'pos/v1/acme/SN000001/state';
const will = (session: string) => ({ topic: STATE, payload: `lost ${session}`, retain: true });

describe('a Will', () => {
  it('is in the log after the terminal broke off, as its last message', async () => {
    const { terminal, arrivals, payloads } = await testBroker();
    const client = await terminal(USER, { will: will('s1') });
    await client.publish('pos/v1/acme/SN000001/report', 'report');

    await client.breakOff();

    await eventually(() => expect(payloads()).toEqual(['report', 'lost s1']));
    expect(arrivals()[1]).toMatchObject({ acquirer: 'acme', sn: 'SN000001', channel: 'state' });
  });

  it('is told to those who watch, and kept as the last state', async () => {
    const { terminal, noc } = await testBroker();
    const watching = await noc('grafana');
    await watching.subscribe('pos/v1/#');

    await (await terminal(USER, { will: will('s1') })).breakOff();

    await eventually(() => expect(watching.messages).toMatchObject([{ topic: STATE, payload: 'lost s1' }]));
    const later = await noc('other');
    await later.subscribe('pos/v1/#');
    await eventually(() => expect(later.messages).toMatchObject([{ topic: STATE, payload: 'lost s1', retain: true }]));
  });

  it('is forgotten after a good-bye', async () => {
    const { terminal, payloads } = await testBroker();
    await (await terminal(USER, { will: will('s1') })).disconnect();

    const next = await terminal(USER);
    await next.publish(STATE, 'online s2');

    expect(payloads()).toEqual(['online s2']);
  });

  it.each([
    ['has no subscription', []],
    ['has a subscription', ['pos/v1/acme/SN000001/cmd']],
  ])('of a connection that is taken over stands before what the new one sends at once, where the old one %s', async (_, filters) => {
    const { terminal, payloads } = await testBroker();
    const old = await terminal(USER, { will: will('s1') });
    if (filters.length > 0) await old.subscribe(filters);
    await old.publish('pos/v1/acme/SN000001/report', 'report s1');

    const birth = old.publishPacket('pos/v1/acme/SN000001/birth', 'birth s2', { messageId: 1 });
    const next = await terminal(USER, { will: will('s2'), pipelined: [birth] });
    await eventually(() => expect(next.acknowledged).toEqual([1]));

    expect(payloads()).toEqual(['report s1', 'lost s1', 'birth s2']);
  });

  it('is published where a terminal broke a rule', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER, { will: will('s1') });

    client.send(client.publishPacket('pos/v1/acme/SN000002/report', 'x'));
    await client.closed;

    await eventually(() => expect(payloads()).toEqual(['lost s1']));
  });

  it('is not published where the broker ended the connection by itself', async () => {
    const { terminal, payloads, order, clock } = await testBroker();
    const client = await terminal(USER, { will: will('s1') });
    const neighbour = await terminal('acme/SN000002');

    await order({ kind: 'revocation', at: clock.now(), user: USER });
    await client.closed;
    await neighbour.publish('pos/v1/acme/SN000002/report', 'after');

    expect(payloads()).toEqual(['after']);
  });
});
