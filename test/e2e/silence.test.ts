/** From a terminal's last word to an alert, and over a stop: the whole product, with real time and short intervals. */
import { describe, expect, it } from 'vitest';
import type { TerminalView } from '../../collector/api/views.ts';
import { openDuckDbStore } from '../../collector/store/duckdb.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt, type MqttClient } from '../helpers/mqtt.ts';
import { sideBySide } from '../helpers/side-by-side.ts';
import { FOR_EVER } from '../helpers/store.ts';

const TEST_MS = 60_000;
/** The least that the contract allows: offline after two intervals or three keepalives of five seconds, the longer. */
const WAIT_MS = 15_000;

const FILES = [
  { name: 'merchants.csv', text: 'acquirer,merchant,terminal_limit\nacme,m-1,2\n' },
  { name: 'terminals.csv', text: 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,m-1,SN000002\n' },
];

async function born(installation: Installation, sn: string, more: Partial<Parameters<typeof connectMqtt>[0]> = {}): Promise<MqttClient> {
  const user = `acme/${sn}`;
  const client = await connectMqtt({
    port: installation.mqttPort()!,
    username: user,
    password: installation.token(user),
    clientId: sn,
    ...more,
  });
  const birth = { v: 1, session: `of ${sn}`, at: Date.now(), interval: 1, keepalive: 5 };
  await client.publish(`pos/v1/${user}/birth`, JSON.stringify(birth));
  return client;
}

let seq = 0;
const reported = (client: MqttClient, sn: string) =>
  client.publish(`pos/v1/acme/${sn}/report`, JSON.stringify({ v: 1, session: `of ${sn}`, seq: ++seq, samples: [{ at: Date.now() }] }));

/** On a slow machine the stop itself may be told of, as a broker that was away. */
const quotas = async (installation: Installation) => (await installation.alerts()).filter(({ type }) => type === 'quota.terminals');
const offline = (alerts: readonly Alert[]) => alerts.filter(({ type }) => type === 'terminal.offline');

describe.concurrent('a terminal that falls silent', () => {
  it(
    'is an alert after its wait, and resolved by its next word; one that reports is none',
    { timeout: TEST_MS },
    sideBySide(async () => {
      const installation = await Installation.create();
      await installation.start('start').ready();
      await installation.api('/v1/imports', { files: FILES });
      const [silent, talking] = [await born(installation, 'SN000001'), await born(installation, 'SN000002')];
      const silentSince = Date.now();
      const timer = setInterval(() => void reported(talking, 'SN000002').catch(() => {}), 1_000);

      const [alert] = await eventually(
        async () => {
          const found = offline(await installation.alerts());
          expect(found).toHaveLength(1);
          return found;
        },
        { within: 2 * WAIT_MS, every: 200 },
      );
      const view = await installation.api<TerminalView>('/v1/terminals/SN000001');
      await reported(silent, 'SN000001');
      const [resolved] = await eventually(async () => {
        const found = offline(await installation.alerts());
        expect(found[0]!.state).toBe('resolved');
        return found;
      });
      clearInterval(timer);

      expect(alert).toMatchObject({
        state: 'firing',
        reason: 'silent',
        severity: 'warning',
        subject: { acquirer: 'acme', merchant: 'm-1', terminal: 'SN000001' },
      });
      expect(Math.abs(alert!.startsAt - silentSince - WAIT_MS)).toBeLessThan(1_500);
      expect(view.state).toBe('offline');
      expect(resolved!.id).toBe(alert!.id);
      await Promise.all([silent.disconnect(), talking.disconnect()]);
      expect(await installation.stopAll()).toEqual([0]);
    }),
  );
});

describe.concurrent('a clean stop', () => {
  it(
    'and a restart keep everything: terminals, alerts under their ids, points, each once',
    { timeout: TEST_MS },
    sideBySide(async () => {
      const installation = await Installation.create();
      const first = installation.start('start');
      await first.ready();
      await installation.api('/v1/imports', { files: FILES });
      const client = await born(installation, 'SN000001');
      for (let i = 0; i < 20; i++) await reported(client, 'SN000001');
      const before = await eventually(async () => {
        const [alerts, terminal] = [await quotas(installation), await installation.api<TerminalView>('/v1/terminals/SN000001')];
        expect(alerts).toHaveLength(1);
        expect(terminal.last).not.toBeNull();
        return { alerts, terminal };
      });
      expect(await installation.stopAll()).toEqual([0]);
      expect(first.said.trimEnd().split('\n').at(-1)).toBe('stopping');

      await installation.start('start').ready();
      const after = { alerts: await quotas(installation), terminal: await installation.api<TerminalView>('/v1/terminals/SN000001') };
      const again = await born(installation, 'SN000001');
      await reported(again, 'SN000001');
      await installation.settled(10_000);
      expect(await installation.stopAll()).toEqual([0]);

      expect(after.alerts).toEqual(before.alerts);
      expect({ ...after.terminal, state: '' }).toEqual({
        ...before.terminal,
        state: '',
        last: after.terminal.last,
        lastSeenAt: after.terminal.lastSeenAt,
        availability: after.terminal.availability,
      });
      const store = await openDuckDbStore(installation.paths.store, FOR_EVER);
      const points = await store.query('SELECT count(*) AS n, count(DISTINCT seq) AS seqs FROM main.terminal');
      const told = await store.query("SELECT id, transition, count(*) AS n FROM main.alert WHERE type = 'quota.terminals' GROUP BY ALL");
      await store.close();
      expect(points.map(({ n, seqs }) => [Number(n), Number(seqs)])).toEqual([[21, 21]]);
      expect(told.map(({ transition, n }) => [transition, Number(n)])).toEqual([['fired', 1]]);
    }),
  );
});
