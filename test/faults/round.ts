/** One round of a scenario: an installation under load, what happens to it, and the verdict of the history. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Influx } from '../helpers/influx.ts';
import { type Command, Installation, type Process } from '../helpers/installation.ts';
import type { AskedMove } from './history.ts';
import { Fleet } from './load.ts';
import { between, seeded } from './random.ts';
import { judge } from './verdict.ts';

/** Few in CI, twenty by hand. */
export const ROUNDS = Number(process.env.TILLWATCH_ROUNDS ?? 3);

export function seeds(first: number): number[] {
  return Array.from({ length: ROUNDS }, (_, round) => first + round);
}

const TERMINALS = 20;
export const MERCHANTS = 4;
const SLOTS = 8;
const EVERY_MS = 50;
/** Less than this was no load. */
const LEAST_REPORTS = 400;
/** Of each terminal, in whatever time a round takes. */
const REPORTS_LIMIT = 5_000;
const PATIENCE_MS = 60_000;
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
  /** Kills that were counted. */
  kills: number;
  wait(leastMs: number, mostMs: number): Promise<void>;
  kill(victims: readonly Process[]): Promise<void>;
}

export interface RoundOptions {
  scenario: string;
  seed: number;
  influx?: Influx;
  /** What runs at first; the load begins when all of it is ready. */
  commands: readonly Command[];
}

/** Runs `faults` over an installation under load, lets everything arrive, and holds it against what was promised. */
export async function playRound(options: RoundOptions, faults: (round: Round) => Promise<void>): Promise<void> {
  const { scenario, seed, influx } = options;
  const round = await beginRound(options);
  const { installation, fleet, asked, acquirer } = round;
  // Of its own numbers, so that what happens when depends on no timing.
  const walk = walkQuotas(round, seeded(seed + 1));
  try {
    await faults(round);
    await walk.stop();
    await fleet.drain(PATIENCE_MS);
    await installation.settled(PATIENCE_MS);
  } finally {
    await Promise.allSettled([walk.stop(), fleet.end()]);
  }
  const sent = fleet.reports;
  await judge({ scenario, seed, acquirer, installation, sent, asked, connects: fleet.connects, kills: round.kills, influx });
  expect(sent.length).toBeGreaterThan(LEAST_REPORTS);
}

async function beginRound({ seed, influx, commands }: RoundOptions): Promise<Round> {
  const acquirer = `r${seed}`;
  const random = seeded(seed);
  const access = influx && { INFLUX_URL: influx.url, INFLUX_TOKEN: influx.token, INFLUX_ORG: influx.org, INFLUX_BUCKET: influx.bucket };
  const installation = await Installation.create(access);
  const processes = commands.map((command) => installation.start(command));
  await Promise.all(processes.map((one) => one.ready()));
  const homes = new Map(Array.from({ length: TERMINALS }, (_, i) => [`SN${String(i).padStart(4, '0')}`, merchantName(i % MERCHANTS)]));
  const asked = await bindAll(installation, acquirer, homes);
  const { mqttPort: port, token, durable } = installation;
  const timing = { everyMs: EVERY_MS, intervalSeconds: INTERVAL_SECONDS, keepaliveSeconds: INTERVAL_SECONDS, limit: REPORTS_LIMIT };
  const fleet = new Fleet({ acquirer, terminals: homes, port, token, durable, now: Date.now, random: seeded(seed + 2), ...timing });
  const round: Round = {
    random,
    installation,
    fleet,
    asked,
    sns: [...homes.keys()],
    acquirer,
    processes,
    kills: 0,
    wait: (least, most) => delay(between(random, least, most)),
    async kill(victims) {
      round.kills += victims.filter((one) => one.runs).length;
      await Promise.all(victims.map((one) => one.end('SIGKILL')));
    },
  };
  return round;
}

export function merchantName(n: number): string {
  return `m-${n}`;
}

export async function bindAll(installation: Installation, acquirer: string, homes: ReadonlyMap<string, string>): Promise<AskedMove[]> {
  const merchants = Array.from({ length: MERCHANTS }, (_, n) => `${acquirer},${merchantName(n)},${SLOTS},UTC`);
  const terminals = [...homes].map(([sn, merchant]) => `${acquirer},${merchant},${sn}`);
  const from = Date.now();
  await installation.api('/v1/imports', {
    files: [{ name: 'merchants.csv', text: ['acquirer,merchant,terminal_limit,tz', ...merchants].join('\n') }, terminalsCsv(terminals)],
  });
  const until = Date.now();
  return [...homes].map(([sn, merchant]) => ({ user: `${acquirer}/${sn}`, merchant, from, until }));
}

export function terminalsCsv(rows: readonly string[], columns = 'acquirer,merchant,sn'): { name: string; text: string } {
  return { name: 'terminals.csv', text: [columns, ...rows].join('\n') };
}

/** Sends an import until it is confirmed, as whoever gets no answer does. */
export async function insistOnImport(installation: Installation, file: { name: string; text: string }): Promise<void> {
  await eventually(() => installation.api('/v1/imports', { files: [file] }), { within: PATIENCE_MS, every: 50 });
}

/** Merchants gain and lose further terminals, so that their use crosses the lines of their limit, up and down. */
function walkQuotas({ installation, acquirer }: Round, random: () => number): { stop(): Promise<void> } {
  let stopping = false;
  const spare = SLOTS - TERMINALS / MERCHANTS;
  const walk = async () => {
    while (!stopping) {
      const merchant = between(random, 0, MERCHANTS - 1);
      const bound = between(random, 0, spare + 1);
      const rows = Array.from({ length: spare + 1 }, (_, n) => {
        const lifecycle = n < bound ? 'active' : 'deleted';
        return `${acquirer},${merchantName(merchant)},XX${merchant}-${n},${lifecycle}`;
      });
      await insistOnImport(installation, terminalsCsv(rows, 'acquirer,merchant,sn,lifecycle'));
      await delay(between(random, 100, 300));
    }
  };
  const walking = walk();
  walking.catch(() => {});
  return {
    async stop() {
      stopping = true;
      await walking;
    },
  };
}
