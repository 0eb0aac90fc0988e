import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';
import { expect, it, onTestFinished } from 'vitest';
import { parseUser } from '../../backbone/credentials/users.ts';
import { createAudience } from '../../broker/front/audience.ts';
import { createActed } from '../../broker/limits/acted.ts';
import { createRefusals } from '../../broker/refusals.ts';
import { createSessions } from '../../broker/sessions.ts';
import { createSubscribing } from '../../broker/subscribing.ts';
import { connectMqtt } from '../helpers/mqtt.ts';

interface Stored {
  persistence: { subscriptionsByClient(client: { id: string }): Promise<object[]>; subscriptionsByTopic(topic: string): Promise<object[]> };
}

it('a refused filter beside a granted one leaves no queue in the session that Aedes stores', async () => {
  const sessions = createSessions();
  const { authorizeSubscribe } = createSubscribing({
    sessions,
    refusals: createRefusals('node-1', Date.now, () => {}),
    audience: createAudience(100),
    limits: { tool_backlog_bytes: 1_000 },
    acted: createActed(),
  });
  const aedes = await Aedes.createBroker({
    authorizeSubscribe,
    preConnect(client, _packet, callback) {
      sessions.admit(client, parseUser('acme/SN000001')!, { issued: 0, keyId: 'k' }, 60);
      callback(null, true);
    },
  });
  const server = createServer(aedes.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))));
  const client = await connectMqtt({ port: (server.address() as AddressInfo).port, clientId: 'SN000001', clean: false });

  const granted = await client.subscribe(['pos/v1/acme/SN000001/cmd', 'pos/v1/#', 'pos/v1/acme/SN000002/report', '#']);

  const { persistence } = aedes as Aedes & Stored;
  expect(granted).toEqual([1, 128, 128, 128]);
  expect(await persistence.subscriptionsByTopic('pos/v1/acme/SN000002/report')).toEqual([]);
  expect(await persistence.subscriptionsByTopic('pos/v1/acme/SN000001/cmd')).toHaveLength(1);
  expect(await persistence.subscriptionsByClient({ id: 'SN000001' })).toHaveLength(2);
  await client.disconnect();
});
