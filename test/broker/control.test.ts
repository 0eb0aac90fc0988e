import { describe, expect, it } from 'vitest';
import { LogError } from '../../backbone/log.ts';
import type { Command } from '../../protocol/schemas/messages.ts';
import { eventually } from '../helpers/eventually.ts';
import { START, testBroker } from './harness.ts';

const USER = 'acme/SN000001';
const CMD = 'pos/v1/acme/SN000001/cmd';
const command = (id: string, expires?: number): Command => ({ v: 1, id, type: 'rebirth', ...(expires === undefined ? {} : { expires }) });
const commandFor = (id: string, expires?: number) =>
  ({ kind: 'command', at: START, acquirer: 'acme', sn: 'SN000001', command: command(id, expires) }) as const;

describe('a revocation', () => {
  it('ends the open connection of its user, refuses its token from then on, and accepts a new one', async () => {
    const { terminal, token, order, clock } = await testBroker();
    const client = await terminal(USER);
    const neighbour = await terminal('acme/SN000002');

    await order({ kind: 'revocation', at: START, user: USER });
    await client.closed;

    expect((await terminal(USER)).returnCode).toBe(5);
    clock.pass(10);
    expect((await terminal(USER, { password: token(USER, START + 1) })).returnCode).toBe(0);
    await neighbour.ping();
  });

  it('leaves a connection alone whose token is newer', async () => {
    const { terminal, token, order, clock } = await testBroker();
    clock.pass(10);
    const client = await terminal(USER, { password: token(USER, START + 5) });
    const old = await terminal('acme/SN000002');

    await order({ kind: 'revocation', at: START, user: USER });
    await order({ kind: 'revocation', at: START, user: 'acme/SN000002' });
    await old.closed;

    await client.ping();
  });

  it('reaches monitoring tools too', async () => {
    const { noc, order } = await testBroker();
    const tool = await noc('grafana');

    await order({ kind: 'revocation', at: START, user: 'noc:grafana' });

    await tool.closed;
    expect((await noc('grafana')).returnCode).toBe(5);
  });
});

describe('a command', () => {
  it('reaches its terminal with QoS 1, and nobody else', async () => {
    const { terminal, noc, order } = await testBroker();
    const [client, neighbour, tool] = [await terminal(USER), await terminal('acme/SN000002'), await noc('grafana')];
    await client.subscribe(CMD);
    await neighbour.subscribe('pos/v1/acme/SN000002/cmd');
    await tool.subscribe('pos/v1/#');

    await order(commandFor('c1', START + 1_000));

    await eventually(() =>
      expect(client.messages).toEqual([{ topic: CMD, payload: JSON.stringify(command('c1', START + 1_000)), qos: 1, retain: false }]),
    );
    await Promise.all([neighbour.ping(), tool.ping()]);
    expect([...neighbour.messages, ...tool.messages]).toEqual([]);
  });

  it('that has expired, or was given before the broker started, is not sent', async () => {
    const { terminal, order } = await testBroker({ before: [commandFor('before')] });
    const client = await terminal(USER);
    await client.subscribe(CMD);

    await order(commandFor('expired', START));
    await order(commandFor('good'));

    await eventually(() => expect(client.messages).toHaveLength(1));
    expect(client.messages[0]?.payload).toContain('"good"');
  });
});

describe('a control log that cannot be read', () => {
  it('keeps a broker from starting', async () => {
    const { control } = await testBroker();
    control.readFailure = new LogError('corrupt');

    await expect(testBroker({ control: control.reader() })).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('stops new log-ins after a minute, says so once, and lets them in again when it can be read', async () => {
    const { terminal, control, clock, lines, broker, order } = await testBroker();
    const early = await terminal(USER);
    control.readFailure = new LogError('failed');
    clock.pass(59_000);
    expect((await terminal('acme/SN000002')).returnCode).toBe(0);

    for (let second = 0; second < 10; second += 1) {
      clock.pass(1_000);
      await early.ping();
    }
    expect((await terminal('acme/SN000003')).returnCode).toBe(3);
    expect(lines).toEqual([expect.stringContaining('cannot be followed')]);
    expect(broker.stats()).toMatchObject({ refusals: { control_unavailable: 1 }, controlLagMs: 69_000 });
    await early.publish('pos/v1/acme/SN000001/report', 'still taken');

    control.readFailure = undefined;
    clock.pass(1_000);
    await eventually(async () => expect((await terminal('acme/SN000003')).returnCode).toBe(0));
    expect(lines).toHaveLength(2);
    await order({ kind: 'revocation', at: START, user: USER });
    await early.closed;
  });

  it('is read on after an entry that this version does not know', async () => {
    const { terminal, control, order, lines } = await testBroker();
    const client = await terminal(USER);

    await control.append([Buffer.from('{"kind":"from the future"}')]);
    await order({ kind: 'revocation', at: START, user: USER });

    await client.closed;
    expect(lines).toEqual([expect.stringContaining('cannot read')]);
  });
});
