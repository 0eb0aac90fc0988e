/**
 * What durability costs: the broker over its segment log beside the same broker over a log that keeps nothing, in turns, so that a
 * drift of the machine meets both. CPU is the broker's process alone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSeconds, startChild } from './process.ts';

const WARM_UP_SECONDS = 4;

type Log = 'segments' | 'none';
interface Run {
  rate: number;
  cpu: number;
  p50: number;
  p99: number;
}

/** Rows: window, log, messages a second, CPU-seconds per million, PUBACK p50 and p99 in ms (medians over the rounds), and CPU against no log. */
export async function benchIngest(options: Record<string, string | undefined>): Promise<Record<string, string | number>[]> {
  const seconds = Number(options.seconds ?? 12);
  const rounds = Number(options.rounds ?? 3);
  const connections = Number(options.connections ?? 200);
  const rows: Record<string, string | number>[] = [];
  for (const window of [1, 20]) {
    const runs: Record<Log, Run[]> = { none: [], segments: [] };
    for (let round = 0; round < rounds; round++) {
      for (const log of ['none', 'segments'] as const) runs[log].push(await measure(log, connections, window, seconds));
    }
    const base = median(runs.none.map((r) => r.cpu));
    for (const log of ['segments', 'none'] as const) rows.push({ window, connections, ...summary(log, runs[log], base) });
  }
  return rows;
}

async function measure(log: Log, connections: number, window: number, seconds: number): Promise<Run> {
  const dir = await mkdtemp(join(tmpdir(), 'tillwatch-bench-'));
  const broker = startChild('broker.ts', [dir, log]);
  try {
    const { port } = await broker.next();
    const load = startChild('load.ts', [JSON.stringify({ port, keysFile: `${dir}/keys.json`, connections, window })]);
    try {
      await load.next();
      load.send(`go ${WARM_UP_SECONDS}`);
      await load.next();
      const before = cpuSeconds(broker.pid);
      load.send(`go ${seconds}`);
      const result = await load.next();
      const cpu = cpuSeconds(broker.pid) - before;
      return { rate: result.acknowledged! / result.seconds!, cpu: (cpu / result.acknowledged!) * 1e6, p50: result.p50!, p99: result.p99! };
    } finally {
      await load.stop();
    }
  } finally {
    await broker.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

function summary(log: Log, runs: Run[], base: number): Record<string, string | number> {
  const rates = runs.map((r) => r.rate);
  const cpus = runs.map((r) => r.cpu);
  const range = (values: number[], digits: number) => `${Math.min(...values).toFixed(digits)}..${Math.max(...values).toFixed(digits)}`;
  return {
    log,
    'messages/s': Math.round(median(rates)),
    'messages/s range': range(rates, 0),
    'CPU-s/million': Number(median(cpus).toFixed(1)),
    'CPU range': range(cpus, 1),
    'CPU ratio': Number((median(cpus) / base).toFixed(2)),
    'p50 ms': Number(median(runs.map((r) => r.p50)).toFixed(2)),
    'p99 ms': Number(median(runs.map((r) => r.p99)).toFixed(2)),
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
