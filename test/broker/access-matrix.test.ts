/**
 * Every role x every thing that it could do x every topic, over real connections, against the contract's own sentences (contract.md,
 * section 1): what is not in ALLOWED is denied.
 */
import { describe, expect, it } from 'vitest';
import { CHANNELS, type Channel, UP_CHANNELS } from '../../protocol/topics.ts';
import { eventually } from '../helpers/eventually.ts';
import type { MqttClient } from '../helpers/mqtt.ts';
import { type TestBroker, testBroker } from './harness.ts';

const USER = 'acme/SN000001';
const ROLES = { terminal: USER, noc: 'noc:grafana' } as const;
type Role = keyof typeof ROLES;

/** Whose topic it is, as seen by the terminal above. */
const OWNERS = { own: USER, 'other serial': 'acme/SN000002', 'other acquirer': 'bank/SN000001', 'other both': 'bank/SN000002' } as const;
type Owner = keyof typeof OWNERS;
const NO_CHANNELS = ['other', 'report/more', 'constructor', ''];

const CHANNEL_NAMES = Object.keys(CHANNELS) as Channel[];
const topicAt = (owner: Owner, channel: string) => `pos/v1/${OWNERS[owner]}/${channel}`;
const fleetTopics = (Object.keys(OWNERS) as Owner[]).flatMap((owner) =>
  [...CHANNEL_NAMES, ...NO_CHANNELS].map((channel) => topicAt(owner, channel)),
);
const sysTopics = ['$SYS/node-1/heartbeat', '$SYS/node-1/new/clients', '$SYS/node-2/birth', '$SYS/x'];
const foreignTopics = ['pos', 'pos/v1', `pos/v2/${USER}/report`, `POS/v1/${USER}/report`, `/pos/v1/${USER}/report`, 'elsewhere'];
const TOPICS = [...fleetTopics, ...sysTopics, ...foreignTopics];

const fleetFilters = ['acme', 'bank', '+'].flatMap((acquirer) =>
  ['SN000001', 'SN000002', '+'].flatMap((sn) => [...CHANNEL_NAMES, '+', '#'].map((channel) => `pos/v1/${acquirer}/${sn}/${channel}`)),
);
const belowFleet = ['pos/v1/#', 'pos/v1/+', 'pos/v1/acme/#', 'pos/v1/+/#', 'pos/v1/bank/+'];
const belowSys = ['$SYS/#', '$SYS/+', '$SYS/node-1/#', '$SYS/+/heartbeat', '$SYS/node-1/heartbeat'];
const foreignFilters = [
  ...['#', '+', '+/#', '+/v1/#', 'pos/#', 'pos/+/#', 'pos/+/acme/SN000001/cmd', 'pos/v2/#', '/#', '$share/g/pos/v1/#', '$queue/#', '$SYS'],
  'elsewhere',
];
const FILTERS = [...new Set([...fleetFilters, ...belowFleet, ...belowSys, ...foreignFilters])];

const OWN_UP: readonly string[] = UP_CHANNELS.map((channel) => topicAt('own', channel));
/** "A terminal may publish only under its own `acquirer/sn`, on the up channels, and subscribe only to its own `cmd`." NOC only reads. */
const ALLOWED: Record<Role, { publish: readonly string[]; will: readonly string[]; subscribe: readonly string[] }> = {
  terminal: { publish: OWN_UP, will: [topicAt('own', 'state')], subscribe: [topicAt('own', 'cmd')] },
  noc: { publish: [], will: [], subscribe: [...new Set([...fleetFilters, ...belowFleet, ...belowSys])] },
};

const roles = Object.keys(ROLES) as Role[];
const clientOf = ({ terminal, noc }: TestBroker, role: Role, login = {}): Promise<MqttClient> =>
  role === 'terminal' ? terminal(USER, login) : noc('grafana', login);

describe.each(roles)('%s', (role) => {
  it.each([0, 1, 2] as const)('publishes with QoS %i where the contract lets it and nowhere else', async (qos) => {
    const broker = await testBroker();
    const published: string[] = [];

    for (const topic of TOPICS) {
      const client = await clientOf(broker, role);
      const before = broker.arrivals().length;
      // A ping after it tells the two apart also where QoS 0 brings no answer: it is answered, or the connection has ended.
      await client
        .publish(topic, 'x', { qos })
        .then(
          () => client.ping(),
          () => {},
        )
        .catch(() => {});
      if (broker.arrivals().length > before) published.push(topic);
      expect([topic, client.socket.destroyed]).toEqual([topic, !published.includes(topic)]);
      await client.breakOff();
    }

    expect(published).toEqual(ALLOWED[role].publish);
    expect(new Set(broker.arrivals().map(({ acquirer, sn }) => `${acquirer}/${sn}`)).size).toBe(published.length > 0 ? 1 : 0);
  });

  it('leaves a Will where the contract lets it and nowhere else', async () => {
    const broker = await testBroker();
    const left: string[] = [];

    for (const topic of TOPICS) {
      const client = await clientOf(broker, role, { will: { topic, payload: 'x' } }).catch(() => undefined);
      if (client?.returnCode === 0) left.push(topic);
      await client?.breakOff();
    }

    expect(left).toEqual(ALLOWED[role].will);
  });

  it('subscribes to what the contract lets it and to nothing else', async () => {
    const broker = await testBroker();
    const client = await clientOf(broker, role);
    const granted: string[] = [];

    for (const filter of FILTERS) {
      const [code] = await client.subscribe(filter);
      if (code !== 128) granted.push(filter);
    }

    expect(granted.sort()).toEqual([...ALLOWED[role].subscribe].sort());
  });
});

describe('what is heard', () => {
  it('by a terminal is its own commands, and by a monitoring tool all that goes up, whatever they subscribed to', async () => {
    const broker = await testBroker();
    const [own, tool] = [await broker.terminal(USER), await broker.noc('grafana')];
    await own.subscribe(FILTERS.filter((filter) => !filter.startsWith('$queue')));
    for (const filter of ALLOWED.noc.subscribe) await tool.subscribe(filter, 0);

    for (const user of Object.values(OWNERS)) {
      const client = user === USER ? own : await broker.terminal(user);
      if (user !== USER) await client.subscribe(`pos/v1/${user}/cmd`);
      for (const channel of UP_CHANNELS) await client.publish(`pos/v1/${user}/${channel}`, channel);
      const [acquirer, sn] = user.split('/') as [string, string];
      await broker.order({ kind: 'command', at: broker.clock.now(), acquirer, sn, command: { v: 1, id: user, type: 'rebirth' } });
      await eventually(() => expect(client.messages.map(({ topic }) => topic)).toEqual([`pos/v1/${user}/cmd`]));
    }

    const heard = new Set(tool.messages.map(({ topic }) => topic).filter((topic) => !topic.startsWith('$SYS/')));
    const up = Object.values(OWNERS).flatMap((user) => UP_CHANNELS.map((channel) => `pos/v1/${user}/${channel}`));
    expect([...heard].sort()).toEqual(up.sort());
  });

  it.each(['', USER, 'noc:grafana'])('by "%s" without a token is nothing: it does not come in', async (username) => {
    const { port, terminal, broker } = await testBroker();

    expect((await terminal(USER, { port, username, password: '' })).returnCode).toBe(4);
    expect(broker.stats().connections).toBe(0);
  });
});
