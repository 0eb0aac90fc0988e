import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { startFleet } from '../../simulator/live/fleet.ts';
import { scenarioNamed } from '../../simulator/scenarios.ts';
import { readSettings, type Settings } from '../config.ts';
import { type Bank, openBank, type Told } from '../demo/bank.ts';
import { ACQUIRER, play } from '../demo/plot.ts';
import { DEMO_RULES, DEMO_SPEED } from '../demo/rules.ts';
import { openScreen, type Screen } from '../demo/screen.ts';
import { neededApi } from '../installation.ts';
import { CliError, type Io } from '../io.ts';
import { alertLine } from '../lines.ts';
import { whole } from '../options.ts';
import { aborted, failuresOf, type Running, runAll, stopAll, stopAsked } from '../parts.ts';
import { ownName } from '../self.ts';
import { registerWith, tokensFrom } from '../simulation.ts';

interface Options {
  terminals: number;
  seed: number;
  stay?: boolean;
}

export function demoCommand(program: Command, io: Io): void {
  program
    .command('demo')
    .description('the whole product in a minute: broker, collector, a simulated fleet and a bank that gets webhooks')
    .option('--terminals <n>', 'how many', whole(50, 1_000), 200)
    .option('--seed <n>', 'another seed, another fleet', whole(0, 1_000_000), 7)
    .option('--stay', 'go on after the story until it is stopped (on a terminal it does)')
    .addHelpText(
      'after',
      `\nExamples:\n  tillwatch demo\n  tillwatch demo --terminals 500 --stay\n  INFLUX_URL=http://127.0.0.1:8086 INFLUX_TOKEN_FILE=token tillwatch demo     (points go there)\n
It keeps its data in a folder of its own, which it removes at the end, and listens on free ports of 127.0.0.1. Its rules are those of every
installation but for shorter times: ${JSON.stringify(DEMO_RULES)}`,
    )
    .action((options: Options) => demo(options, io));
}

async function demo({ terminals, seed, stay = process.stdout.isTTY }: Options, io: Io): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-demo-'));
  // However it ends: a second signal leaves no time for more.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const asked = stopAsked(io);
  const screen = openScreen(io, Date.now);
  const parts: Running[] = [];
  try {
    const settings = await demoSettings(folder, io);
    screen.tell('Broker, collector and API start, with short times, in a folder of their own.');
    const [collector, broker] = await runAll(settings, { ...io, say: screen.show });
    parts.push(collector, broker);
    const ask = await neededApi(settings);
    const bank = await openBank(randomBytes, (told) => screen.show(`→ ${ACQUIRER}'s bank is told, and verifies it: ${toldLine(told)}`));
    parts.push(bank);
    await ask('POST', '/v1/webhooks', { url: bank.url, acquirer: ACQUIRER, secret: bank.secret });
    const fleet = await startFleet({
      story: { seed, terminals, scenario: scenarioNamed('quiet')!, startAt: Date.now(), speed: DEMO_SPEED },
      ...broker.broker.addresses[0]!,
      now: Date.now,
      random: Math.random,
      token: tokensFrom(ask),
      register: registerWith(ask),
      say: screen.tell,
    });
    parts.push({ stop: async () => void (await fleet.stop()) });
    screen.status(() => {
      const { connected, acknowledged } = fleet.stats();
      return `${connected} of ${terminals} terminals connected, ${acknowledged} reports acknowledged, ${bank.told.length} webhooks verified`;
    });
    await Promise.race([play({ fleet, bank, ask, screen, signal: asked }), aborted(asked), ...failuresOf(parts)]);
    if (asked.aborted) return;
    screen.tell(`${fleet.stats().acknowledged} reports were acknowledged. ${verdictOn(bank)}`);
    sayWhatNext(settings, collector.url, screen, { stay, self: ownName(io.env) });
    if (stay) await Promise.race([aborted(asked), ...failuresOf(parts)]);
  } catch (error) {
    if (!asked.aborted) throw error;
  } finally {
    screen.status(null);
    await stopAll(parts);
    screen.end();
  }
}

/** As the environment says, but for what is the demo's own: its folder, its rules, free ports, and a bank on this machine. */
async function demoSettings(folder: string, { env }: Io): Promise<Settings> {
  const rules = join(folder, 'rules.json');
  await writeFile(rules, `${JSON.stringify(DEMO_RULES, null, 2)}\n`, { mode: 0o600 });
  return readSettings({
    ...env,
    TILLWATCH_DATA_DIR: join(folder, 'data'),
    TILLWATCH_RULES: rules,
    TILLWATCH_MQTT_LISTEN: '127.0.0.1:0',
    TILLWATCH_HTTP_LISTEN: '127.0.0.1:0',
    TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8',
    TILLWATCH_API_URL: '',
  });
}

function toldLine({ type, sequence, data }: Told): string {
  return `#${sequence} ${alertLine(type.slice('alert.'.length), data).replaceAll(/ +/g, ' ')}`;
}

/** Errors: CliError where a delivery is missing or forged. */
function verdictOn({ told, problems }: Bank): string {
  const numbers = told.map(({ sequence }) => sequence);
  const gaps = Array.from({ length: Math.max(0, ...numbers) }, (_, n) => n + 1).filter((n) => !numbers.includes(n));
  const faults = [...problems, ...gaps.map((n) => `event ${n} is missing`)];
  if (faults.length > 0) throw new CliError(`something is wrong with the webhooks: ${faults.join('; ')}`);
  return `${told.length} webhooks came, every signature verified, no number missing.`;
}

function sayWhatNext({ dataDir, influx }: Settings, url: string, screen: Screen, { stay, self }: { stay: boolean; self: string }): void {
  screen.tell('That was the demo.');
  if (influx) screen.show(`The points are in ${influx.url}: docs/dashboards.md says how to see them in Grafana.`);
  if (stay) {
    screen.show('Everything goes on until Ctrl-C. Open, or type in another terminal:');
    screen.show(`  ${url}/metrics`);
    screen.show(`  curl -H "Authorization: Bearer $(cat ${join(dataDir, 'admin-token')})" ${url}/v1/alerts`);
    screen.show(`  TILLWATCH_DATA_DIR=${dataDir} ${self} webhook list`);
  }
  screen.show('Next, an installation of your own:');
  screen.show(`  ${self} start`);
  screen.show(`  ${self} simulate --terminals 50 --speed 60x`);
  screen.show('README.md tells how to connect a first real terminal.');
}
