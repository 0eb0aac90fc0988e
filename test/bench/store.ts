/** What writing to the stores costs, the writer alone, and how long a chart of one terminal and a view of the fleet take. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './process.ts';

type Row = Record<string, string | number>;
type Options = Record<string, string | undefined>;

/** Rows: store, CPU-seconds per million points without the making of the samples (median and range over the rounds), memory in MB. */
export async function benchStore(options: Options): Promise<Row[]> {
  const rounds = Number(options.rounds ?? 3);
  const million = Number(options.million ?? 0.5);
  const runs: Record<string, { cpu: number; mb: number }[]> = { influxdb: [], duckdb: [] };
  for (let round = 0; round < rounds; round++) {
    const sink = startChild('store-sink.ts', []);
    const { port } = await sink.next();
    const folder = await mkdtemp(join(tmpdir(), 'tillwatch-bench-'));
    try {
      runs.influxdb!.push(await measure(`http://127.0.0.1:${port}`, million));
      runs.duckdb!.push(await measure(join(folder, 'store.duckdb'), million));
    } finally {
      await sink.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return Object.entries(runs).map(([store, all]) => {
    const cpus = all.map(({ cpu }) => cpu).sort((a, b) => a - b);
    return {
      store,
      'CPU-s/million': Number(cpus[Math.floor(cpus.length / 2)]!.toFixed(1)),
      range: `${cpus[0]!.toFixed(1)}..${cpus.at(-1)!.toFixed(1)}`,
      'peak MB': Math.round(Math.max(...all.map(({ mb }) => mb))),
    };
  });
}

async function measure(target: string, million: number): Promise<{ cpu: number; mb: number }> {
  const writer = startChild('store-writer.ts', [target, String(million)]);
  const { points, making, cpu, rss } = await writer.next();
  await writer.stop();
  return { cpu: ((cpu! - making!) / points!) * 1e6, mb: rss! / 1e6 };
}

/** Rows: question, median and greatest of the times, ms; over a fleet of which every sample was folded. */
export async function benchHistory(options: Options): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-bench-'));
  const reader = startChild('store-history.ts', [
    join(folder, 'store.duckdb'),
    options.terminals ?? '10000',
    options.days ?? '30',
    options.interval ?? '3600',
  ]);
  try {
    const figures = await reader.next();
    return Object.entries(figures).map(([what, value]) => ({ what, value }));
  } finally {
    await reader.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
