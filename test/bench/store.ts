/** What writing to the stores costs, the writer alone, and how long a chart of one terminal and a view of the fleet take. */
import { join } from 'node:path';
import { median, type Options, type Row, rounded } from './figures.ts';
import { startChild } from './process.ts';
import { withScene } from './scene.ts';

/** Rows: store, CPU-seconds per million points without the making of the samples (median and range over the rounds), memory in MB. */
export async function benchStore(options: Options): Promise<Row[]> {
  const rounds = Number(options.rounds ?? 3);
  const million = Number(options.million ?? 0.5);
  const runs: Record<string, { cpu: number; mb: number }[]> = { influxdb: [], duckdb: [] };
  for (let round = 0; round < rounds; round++) {
    await withScene(async ({ folder, own }) => {
      const { port } = await own(startChild('store-sink.ts', [])).next();
      runs.influxdb!.push(await measure(`http://127.0.0.1:${port}`, million));
      runs.duckdb!.push(await measure(join(folder, 'store.duckdb'), million));
    });
  }
  return Object.entries(runs).map(([store, all]) => {
    const cpus = all.map(({ cpu }) => cpu);
    return {
      store,
      'CPU-s/million': rounded(median(cpus)),
      range: `${Math.min(...cpus).toFixed(1)}..${Math.max(...cpus).toFixed(1)}`,
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
export function benchHistory({ terminals = '10000', days = '30', interval = '3600' }: Options): Promise<Row[]> {
  return withScene(async ({ folder, own }) => {
    const reader = own(startChild('store-history.ts', [join(folder, 'store.duckdb'), terminals, days, interval]));
    const figures = await reader.next();
    return Object.entries(figures).map(([what, value]) => ({ what, value }));
  });
}
