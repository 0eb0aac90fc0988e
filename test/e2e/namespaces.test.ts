/** A site that loses its network, and we that lose our broker: live, with real agents behind real links. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentConfig } from '../../agent/config.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { lacksNamespaces, type Namespace, namespace } from '../helpers/namespace.ts';
import { tempDir } from '../helpers/tempdir.ts';

const AGENTS = fileURLToPath(new URL('../helpers/agents.ts', import.meta.url));
/** With TILLWATCH_FULL=1 by the default rules, and our broker is away for ten minutes. */
const FULL = process.env.TILLWATCH_FULL === '1';
const PER_SITE = FULL ? 50 : 12;
const TIMES = FULL ? { interval: 60, keepalive: 30, awaySeconds: 600 } : { interval: 5, keepalive: 5, awaySeconds: 12 };
const RULES = FULL ? {} : { 'terminal.offline': { lostHoldSeconds: 4 }, outage: { tellSeconds: 5 } };
const PATIENCE_MS = FULL ? 600_000 : 90_000;
const SITES = ['s-1', 's-2'] as const;

interface Site {
  sns: string[];
  link: Namespace;
}

async function runSite(n: number, installation: Installation, port: number): Promise<Site> {
  const link = namespace(n);
  const sns = Array.from({ length: PER_SITE }, (_, i) => `SN${n}${String(i).padStart(4, '0')}`);
  const outbox = await tempDir();
  const { interval, keepalive } = TIMES;
  const settings = sns.map((sn): AgentConfig => {
    const address = { tls: false, host: link.host, port };
    const token = installation.token(`acme/${sn}`);
    return { address, acquirer: 'acme', sn, token, outbox, interval, keepalive, merchant: 'm-1', site: SITES[n]!, speed: 1 };
  });
  const child = link.run(process.execPath, ['--import', 'tsx', AGENTS]);
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  child.stdin!.end(JSON.stringify(settings));
  await once(child.stdout!, 'data');
  return { sns, link };
}

async function register(installation: Installation, sites: readonly string[][]): Promise<void> {
  const folder = await tempDir();
  const rows = sites.flatMap((sns, n) => sns.map((sn) => `acme,m-1,${SITES[n]},${sn},active`));
  await writeFile(join(folder, 'merchants.csv'), 'acquirer,merchant,name,terminal_limit\nacme,m-1,Shop,500\n');
  await writeFile(join(folder, 'terminals.csv'), `acquirer,merchant,site,sn,lifecycle\n${rows.join('\n')}\n`);
  const { exitCode, said } = await installation.run('import', [folder]);
  expect(exitCode, said).toBe(0);
}

describe.skipIf(lacksNamespaces())('two sites, each behind a link of its own', () => {
  it('one goes dark and comes back: one outage; then our broker is away: nobody is called offline', {
    timeout: 4 * PATIENCE_MS,
  }, async () => {
    const rules = join(await tempDir(), 'rules.json');
    await writeFile(rules, JSON.stringify(RULES));
    const installation = await Installation.create({
      TILLWATCH_MQTT_LISTEN: '0.0.0.0:0',
      TILLWATCH_INSECURE_LISTEN: '1',
      TILLWATCH_RULES: rules,
    });
    const [broker, collector] = [installation.start('broker'), installation.start('collector')];
    await Promise.all([broker.ready(), collector.ready()]);
    const port = broker.mqttPort!;
    const sites = await Promise.all(SITES.map((_, n) => runSite(n, installation, port)));
    await register(
      installation,
      sites.map(({ sns }) => sns),
    );
    const online = async (count: number) => {
      const fleet = await installation.api<{ byState: Record<string, number> }>('/v1/fleet');
      expect(fleet.byState.online, installation.failures.join('\n')).toBe(count);
    };
    const all = SITES.length * PER_SITE;
    await eventually(() => online(all), { within: PATIENCE_MS, every: 500 });

    sites[0]!.link.cut();
    await eventually(
      async () => {
        const firing = (await installation.alerts()).filter(({ state }) => state === 'firing');
        expect(firing).toEqual([expect.objectContaining({ type: 'outage', reason: 'site', cause: 'site', count: PER_SITE })]);
        expect(firing[0]!.subject).toMatchObject({ acquirer: 'acme', merchant: 'm-1', site: 's-1' });
      },
      { within: PATIENCE_MS, every: 500 },
    );
    sites[0]!.link.mend();
    await eventually(() => online(all), { within: PATIENCE_MS, every: 500 });
    await eventually(async () => expect((await installation.alerts()).filter(({ state }) => state === 'firing')).toEqual([]), {
      within: PATIENCE_MS,
      every: 500,
    });
    const told = (await installation.alerts()).length;

    await broker.end('SIGTERM');
    await delay(TIMES.awaySeconds * 1000);
    await installation.start('broker', { TILLWATCH_MQTT_LISTEN: `0.0.0.0:${port}` }).ready();
    await eventually(() => online(all), { within: PATIENCE_MS, every: 500 });
    await delay(2 * TIMES.interval * 1000);

    const since = (await installation.alerts()).filter(({ type }) => type !== 'platform.blind');
    expect(
      since.slice(0, -told),
      JSON.stringify(since.map(({ type, reason, startsAt, endsAt, count }) => [type, reason, startsAt, endsAt, count])),
    ).toEqual([]);
    expect(await installation.stopAll()).toEqual([0, 0]);
  });
});
