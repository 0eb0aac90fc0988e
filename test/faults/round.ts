/** One round of a scenario: an installation under load, what happens to it, and the verdict of the history. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Transition } from '../../protocol/alerts.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Influx, startInflux } from '../helpers/influx.ts';
import { type Command, Installation, type Process } from '../helpers/installation.ts';
import type { AskedMove } from './history.ts';
import { Fleet } from './load.ts';
import { between, seeded } from './random.ts';
import { bindAll, homesOf, TERMINALS, walkQuotas } from './registry.ts';
import type { Figures } from './table.ts';
import { judge } from './verdict.ts';

/** With so many terminals 5 000 reports a second, each far below what the broker reads of one. */
const EVERY_MS = 8;
/** Before the first fault, to see what is acknowledged. */
const CALM_MS = 1_000;
/** Less than this was no load. */
const LEAST_REPORTS = 5_000;
const PATIENCE_MS = 180_000;
/** No deadline of presence comes within a round. */
const INTERVAL_SECONDS = 300;

export interface Round {
  readonly random: () => number;
  readonly installation: Installation;
  readonly fleet: Fleet;
  readonly asked: AskedMove[];
  /** Terminals' serial numbers. */
  readonly sns: readonly string[];
  readonly acquirer: string;
  /** What was started at first. */
  readonly processes: readonly Process[];
  /** Where points go; absent: into the embedded store. */
  readonly influx: Influx | undefined;
  /** What was done to what, and how often. */
  readonly faults: Record<string, number>;
  wait(leastMs: number, mostMs: number): Promise<void>;
}

export interface RoundOptions {
  scenario: string;
  seed: number;
  /** What runs at first; the load begins when all of it is ready. */
  commands: readonly Command[];
  store: 'embedded' | 'influxdb';
  /** Where the collector finds this InfluxDB; default: at its own address. */
  influxUrl?: (influx: Influx) => Promise<string>;
  /** The data folder; default: a new one. */
  root?: string;
  env?: Record<string, string>;
  /** Beside what every report has, bytes of each. */
  paddingBytes?: number;
  intervalSeconds?: number;
  keepaliveSeconds?: number;
  /** Where its figures go. */
  rounds: Figures[];
}

/** Runs `faults` over an installation under load, lets everything arrive, and holds it against what was promised. */
export async function playRound(options: RoundOptions, faults: (round: Round) => Promise<void>): Promise<Transition[]> {
  const { scenario, seed, rounds } = options;
  const influx = options.store === 'influxdb' ? await startInflux() : undefined;
  try {
    const round = await beginRound(options, influx);
    const { installation, fleet, asked, acquirer } = round;
    // Of its own numbers, so that what happens when depends on no timing.
    const walk = walkQuotas(installation, acquirer, seeded(seed + 1));
    let rate: Figures['rate'];
    try {
      rate = await rateOf(fleet);
      await faults(round);
      await walk.stop();
      await fleet.drain(PATIENCE_MS);
      await installation.settled(PATIENCE_MS);
    } finally {
      await Promise.allSettled([walk.stop(), fleet.end()]);
    }
    const sent = fleet.reports;
    const known = { scenario, seed, faults: round.faults, rate, connects: fleet.connects };
    const transitions = await judge({ acquirer, installation, sent, asked, influx }, known, rounds);
    expect(sent.length).toBeGreaterThan(LEAST_REPORTS);
    return transitions;
  } finally {
    await influx?.stop();
  }
}

async function beginRound(options: RoundOptions, influx: Influx | undefined): Promise<Round> {
  const { seed, commands, env = {}, influxUrl, root, paddingBytes, intervalSeconds = INTERVAL_SECONDS } = options;
  const acquirer = `r${seed}`;
  const random = seeded(seed);
  const access = influx && {
    INFLUX_URL: (await influxUrl?.(influx)) ?? influx.url,
    INFLUX_TOKEN: influx.token,
    INFLUX_ORG: influx.org,
    INFLUX_BUCKET: influx.bucket,
  };
  const installation = await Installation.create({ ...env, ...access }, root);
  const processes = commands.map((command) => installation.start(command));
  await Promise.all(processes.map((one) => one.ready()));
  const homes = homesOf(TERMINALS);
  const asked = await bindAll(installation, acquirer, homes);
  const { mqttPort: port, token, durable } = installation;
  const fleet = new Fleet({
    acquirer,
    terminals: homes,
    port,
    token,
    durable,
    now: Date.now,
    random: seeded(seed + 2),
    everyMs: EVERY_MS,
    intervalSeconds,
    keepaliveSeconds: options.keepaliveSeconds ?? intervalSeconds,
    ...(paddingBytes === undefined ? {} : { paddingBytes }),
  });
  return {
    random,
    installation,
    fleet,
    asked,
    sns: [...homes.keys()],
    acquirer,
    processes,
    influx,
    faults: {},
    wait: (least, most) => delay(between(random, least, most)),
  };
}

/** Reports a second, over a moment in which nothing happens to anything. */
async function rateOf(fleet: Fleet): Promise<Figures['rate']> {
  // A broker that has just started is slower.
  await eventually(() => expect(fleet.counts.acknowledged).toBeGreaterThan(LEAST_REPORTS), { within: PATIENCE_MS });
  const [before, began] = [fleet.counts, performance.now()];
  await delay(CALM_MS);
  const [after, seconds] = [fleet.counts, (performance.now() - began) / 1000];
  const perSecond = (of: keyof typeof before) => Math.round((after[of] - before[of]) / seconds);
  return { offered: perSecond('offered'), acknowledged: perSecond('acknowledged') };
}

/** Notes that this was done. */
export function note({ faults }: Round, what: string): void {
  faults[what] = (faults[what] ?? 0) + 1;
}
