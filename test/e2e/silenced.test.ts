/** A silence made by the API holds what a bank is told, and its end sends what still fires: the whole product. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { Receiver } from '../helpers/receiver.ts';

const TEST_MS = 60_000;
const WITHIN = { within: 20_000, every: 100 };

const merchants = (limit: number) => ({
  name: 'merchants.csv',
  text: `acquirer,merchant,terminal_limit\nacme,m-1,${limit}\nacme,m-2,3\n`,
});
const terminals = {
  name: 'terminals.csv',
  text: `acquirer,merchant,sn\n${[1, 2, 3, 4, 5, 6].map((n) => `acme,m-${n % 2 === 0 ? 2 : 1},SN00000${n}`).join('\n')}\n`,
};

test('what is silenced is listed and not sent, over a restart too, and is sent when the silence is ended', {
  timeout: TEST_MS,
}, async () => {
  const installation = await Installation.create({ TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8' });
  await installation.start('start').ready();
  const receiver = await Receiver.start();
  const told = () => receiver.told.map(({ type, data }) => `${type} ${data.reason} ${data.severity}`);
  await installation.api('/v1/webhooks', { url: receiver.url, acquirer: 'acme' });
  const { id } = await installation.api<{ id: string }>('/v1/silences', {
    match: { acquirer: 'acme', merchant: 'm-1' },
    until: Date.now() + 3_600_000,
  });

  await installation.api('/v1/imports', { files: [merchants(3), terminals] });
  await eventually(() => expect(told()).toEqual(['alert.fired reached critical']), WITHIN);
  const silenced = await eventually(async () => {
    const found = (await installation.alerts()).filter(({ subject }) => subject.merchant === 'm-1');
    expect(found).toHaveLength(1);
    return found;
  }, WITHIN);
  expect(silenced.map(({ silencedBy, state }) => [silencedBy, state])).toEqual([[id, 'firing']]);
  expect(await installation.stopAll()).toEqual([0]);
  await installation.start('start').ready();
  await installation.api('/v1/imports', { files: [merchants(2)] });
  await eventually(async () => expect((await installation.alerts()).map(({ reason }) => reason)).toContain('over'), WITHIN);
  expect(told()).toHaveLength(1);

  const authorization = `Bearer ${(await readFile(installation.paths.adminToken, 'utf8')).trim()}`;
  const ended = await fetch(`${installation.url}/v1/silences/${id}`, { method: 'DELETE', headers: { authorization } });
  expect(ended.status).toBe(204);
  await eventually(() => expect(told()).toEqual(['alert.fired reached critical', 'alert.fired over critical']), WITHIN);
  expect(await installation.stopAll()).toEqual([0]);
});
