import { type Command, InvalidArgumentError } from 'commander';
import { capacityOf } from '../../simulator/capacity.ts';
import { entriesOf } from '../../simulator/entries.ts';
import { SCENARIOS, scenarioNamed } from '../../simulator/scenarios.ts';
import { DAY_MS, type Story } from '../../simulator/story.ts';
import type { Address } from '../address.ts';
import { readSettings } from '../config.ts';
import { CliError, type Io } from '../io.ts';
import { thisMachine } from '../machine.ts';
import { time, whole } from '../options.ts';
import { simulateLive } from '../simulation.ts';
import { type TruthFile, truthFile } from '../truth.ts';

/** A Monday, so that a story begins with a week. */
const DEFAULT_START = Date.UTC(2026, 2, 2);
const MOST_ENTRIES_TERMINALS = 10_000_000;
const MOST_SPEED = 3600;
/** No timer of Node's runs longer than that. */
const MOST_DURATION_MS = 24 * DAY_MS;

interface Options {
  terminals: number;
  scenario: string;
  seed: number;
  speed?: number;
  url?: Address;
  for?: number;
  keep?: boolean;
  entries?: boolean;
  days?: number;
  start?: number;
  rate?: number;
  truth?: string;
  list?: boolean;
  json?: boolean;
}

export function simulateCommand(program: Command, io: Io): void {
  program
    .command('simulate')
    .description('a fleet of virtual terminals with labelled incidents: over MQTT, or as a log for "tillwatch alerts replay"')
    .option('--terminals <n>', 'how many', whole(1, MOST_ENTRIES_TERMINALS), 10)
    .option('--scenario <name>', 'what happens: --list names them', 'day')
    .option(
      '--seed <n>',
      'the same seed, the same story; another seed, other merchants and serial numbers',
      whole(0, Number.MAX_SAFE_INTEGER),
      1,
    )
    .option('--rate <n>', 'incidents in 1000 terminal-days; without it the scenario draws them', whole(0, 1_000_000))
    .option('--truth <file>', 'write what is true of each incident, one JSON document a line')
    .option('--speed <x>', `live: so many seconds of the story in one, up to ${MOST_SPEED}x; over 1x the shops are always open`, speed)
    .option('--url <url>', 'live: the broker, mqtt://host:port (the local installation)', brokerUrl)
    .option('--for <duration>', 'live: end after 90s, 10m, 2h or 1d', duration)
    .option('--keep', 'live: leave the fleet in the registry at the end; its terminals will be missed')
    .option('--entries', 'write the log of the story to standard output, and connect to nothing')
    .option('--days <n>', 'entries: days of the story (1)', whole(1, 3650))
    .option('--start <time>', 'entries: when the story begins, an ISO time (2026-03-02T00:00Z)', time)
    .option('--list', 'name the scenarios, and end')
    .option('--json', 'live: the summary as JSON; with --list: the scenarios')
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      if (options.list) return list(options, io);
      const story = storyOf(options);
      if (options.entries) return writeEntries(story, options, io);
      await checkMachine(story.terminals);
      const settings = readSettings(io.env);
      await withTruth(options.truth, (truth) =>
        simulateLive({ story, settings, address: options.url, forMs: options.for, keep: options.keep, json: options.json }, truth, io),
      );
    });
}

const HELP = `
Examples:
  tillwatch simulate --terminals 50 --speed 60x
  tillwatch simulate --terminals 5000 --scenario quiet --for 10m --json
  tillwatch simulate --entries --terminals 200 --days 3 --truth truth.jsonl | tillwatch alerts replay -
  tillwatch simulate --entries --scenario outage --terminals 500 > outage.jsonl
  tillwatch simulate --list

A live fleet is registered and enrolled at the installation that runs over TILLWATCH_DATA_DIR, or that TILLWATCH_API_URL names, and taken
out again at the end.`;

function storyOf(options: Options): Story {
  const scenario = scenarioNamed(options.scenario);
  if (!scenario) throw new CliError(`--scenario: there is no "${options.scenario}": "tillwatch simulate --list" names them`, 2);
  const misplaced = (options.entries ? (['speed', 'url', 'for', 'keep'] as const) : (['days', 'start'] as const)).filter(
    (name) => options[name] !== undefined,
  );
  if (misplaced.length > 0)
    throw new CliError(`${misplaced.map((name) => `--${name}`).join(', ')}: ${options.entries ? 'not with' : 'only with'} --entries`, 2);
  if (!options.entries && scenario.name === 'platform.blind') {
    throw new CliError('--scenario platform.blind: a terminal cannot stop the broker it talks to: give --entries', 2);
  }
  const { terminals, seed, rate } = options;
  return {
    seed,
    terminals,
    scenario,
    rate,
    startAt: options.entries ? (options.start ?? DEFAULT_START) : Date.now(),
    speed: options.speed ?? 1,
  };
}

async function writeEntries(story: Story, { days = 1, truth: path }: Options, io: Io): Promise<void> {
  await withTruth(path, (truth) => io.pour(entriesOf(story, story.startAt + days * DAY_MS, truth.add)));
}

async function withTruth(path: string | undefined, run: (truth: TruthFile) => Promise<void>): Promise<void> {
  const truth = truthFile(path);
  try {
    await run(truth);
  } finally {
    truth.close();
  }
}

async function checkMachine(terminals: number): Promise<void> {
  const { terminals: most, why } = capacityOf(await thisMachine());
  if (terminals <= most) return;
  throw new CliError(
    `--terminals ${terminals}: this machine carries ${most} over MQTT from one process, because ${why}. Take fewer, or write a log with --entries, which needs no connections`,
  );
}

function list({ json }: Options, io: Io): void {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  for (const { name, about } of SCENARIOS) io.out(json ? JSON.stringify({ name, about }) : `${name.padEnd(width)}  ${about}`);
}

function speed(text: string): number {
  const number = Number(/^(\d+(?:\.\d+)?)x?$/.exec(text)?.[1]);
  if (number >= 1 && number <= MOST_SPEED) return number;
  throw new InvalidArgumentError(`1x to ${MOST_SPEED}x.`);
}

function duration(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const ms = match ? Number(match[1]) * { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS }[match[2] as 's' | 'm' | 'h' | 'd'] : Number.NaN;
  if (ms <= MOST_DURATION_MS) return ms;
  throw new InvalidArgumentError('A number and s, m, h or d, such as 10m; 24d at most.');
}

function brokerUrl(text: string): Address {
  const { protocol, hostname, port, username, password } = URL.canParse(text) ? new URL(text) : ({} as Partial<URL>);
  if (protocol !== 'mqtt:' || !hostname || username || password) {
    throw new InvalidArgumentError('mqtt://host:port, without a user: terminals are enrolled, and log in by their own names.');
  }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 1883) };
}
