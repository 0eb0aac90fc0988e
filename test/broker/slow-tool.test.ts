import { expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { testBroker } from './harness.ts';

it('a monitoring tool that does not read loses messages, and holds up nobody', async () => {
  const { noc, terminal, broker, payloads } = await testBroker();
  const [slow, quick] = [await noc('slow'), await noc('quick')];
  await slow.subscribe('pos/v1/#');
  await quick.subscribe('pos/v1/#');
  slow.socket.pause();
  const client = await terminal('acme/SN000001');
  const report = 'x'.repeat(60_000);

  for (let sent = 0; broker.stats().limits.tool_backlog_bytes === 0; sent += 1) {
    expect(sent).toBeLessThan(2_000);
    await client.publish('pos/v1/acme/SN000001/report', report);
  }
  await client.publish('pos/v1/acme/SN000001/report', 'last');

  await eventually(() => expect(quick.messages.at(-1)?.payload).toBe('last'));
  expect(payloads()).toHaveLength(quick.messages.length);
});
