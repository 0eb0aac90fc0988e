/**
 * What a durable report costs the broker: taken by the front, beside the same reports the long way through Aedes, beside the front over a
 * log that keeps nothing. In turns, so that a drift of the machine meets all. CPU is the broker's process alone.
 */
import { median, numbersIn, type Options, type Row, rounded } from './figures.ts';
import type { PhaseResult } from './phases.ts';
import { cpuSeconds, startChild } from './process.ts';
import { withScene } from './scene.ts';

const WARM_UP_SECONDS = 4;
const WAYS = {
  front: { log: 'segments', longWay: false },
  'long way': { log: 'segments', longWay: true },
  'front, no log': { log: 'none', longWay: false },
} as const;
const BASE = 'long way';

type Way = keyof typeof WAYS;
interface Run {
  rate: number;
  cpu: number;
  p50: number;
  p99: number;
}

/** Rows: way, window, messages a second, CPU-seconds per million, PUBACK p50 and p99 in ms (medians over the rounds), and CPU against the long way. */
export async function benchIngest(options: Options): Promise<Row[]> {
  const seconds = Number(options.seconds ?? 12);
  const rounds = Number(options.rounds ?? 3);
  const rows: Row[] = [];
  for (const connections of numbersIn(options.connections ?? '200')) {
    for (const window of [1, 20]) {
      const runs = await measureAll(rounds, connections, window, seconds);
      const base = median(runs[BASE].map((r) => r.cpu));
      for (const way of ways) rows.push({ connections, window, ...summary(way, runs[way], base) });
    }
  }
  return rows;
}

const ways = Object.keys(WAYS) as Way[];

async function measureAll(rounds: number, connections: number, window: number, seconds: number): Promise<Record<Way, Run[]>> {
  const runs: Record<Way, Run[]> = { front: [], 'long way': [], 'front, no log': [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) runs[way].push(await measure(way, connections, window, seconds));
  }
  return runs;
}

function measure(way: Way, connections: number, window: number, seconds: number): Promise<Run> {
  const { log, longWay } = WAYS[way];
  return withScene(async ({ folder, own }) => {
    const broker = own(startChild('broker.ts', [folder, log]));
    const { port } = await broker.next();
    const load = own(startChild('load.ts', [JSON.stringify({ port, keysFile: `${folder}/keys.json`, connections, window, longWay })]));
    await load.next();
    load.send(JSON.stringify({ kind: 'run', seconds: WARM_UP_SECONDS, rate: 0 }));
    await load.next();
    const before = cpuSeconds(broker.pid);
    load.send(JSON.stringify({ kind: 'run', seconds, rate: 0 }));
    const result = await load.next<PhaseResult>();
    const cpu = cpuSeconds(broker.pid) - before;
    return { rate: result.rate, cpu: (cpu / result.acknowledged) * 1e6, p50: result.p50, p99: result.p99 };
  });
}

function summary(way: Way, runs: Run[], base: number): Row {
  const rates = runs.map((r) => r.rate);
  const cpus = runs.map((r) => r.cpu);
  const range = (values: number[], digits: number) => `${Math.min(...values).toFixed(digits)}..${Math.max(...values).toFixed(digits)}`;
  return {
    way,
    'messages/s': Math.round(median(rates)),
    'messages/s range': range(rates, 0),
    'CPU-s/million': rounded(median(cpus)),
    'CPU range': range(cpus, 1),
    'CPU ratio': rounded(median(cpus) / base, 2),
    'p50 ms': rounded(median(runs.map((r) => r.p50)), 2),
    'p99 ms': rounded(median(runs.map((r) => r.p99)), 2),
    'p99 range': range(
      runs.map((r) => r.p99),
      0,
    ),
  };
}
