/**
 * Folds a fleet of N terminals that report for so many days into a DuckDB file, as the feed does, then asks it what charts ask. Prints
 * one line of figures.
 */
import { stat } from 'node:fs/promises';
import { Fold, type Load } from '../../collector/feed/fold.ts';
import { openDuckDbStore } from '../../collector/store/duckdb.ts';
import type { MessageEntry } from '../../protocol/entries.ts';
import { benchSample } from './store-sample.ts';

const [path, terminals, days, interval] = process.argv.slice(2) as [string, string, string, string];
const DAY_MS = 86_400_000;
const T = Math.floor(1_763_798_400_000 / DAY_MS) * DAY_MS;
const ASKED = 30;

const store = await openDuckDbStore(path, { rawDays: 0, rollupDays: 0 });
const fold = new Fold({ series: { most: 1_000_000, days: 30 }, classOf: () => 'approved', say: console.error });
const fleet = Number(terminals);
const began = process.cpuUsage();
let samples = 0;
let load: Load = { batch: store.batch(), kept: [] };
const flush = async () => {
  await load.batch.write({ bench: String(samples) }, async () => {});
  load = { batch: store.batch(), kept: [] };
};
for (let at = T; at < T + Number(days) * DAY_MS; at += Number(interval) * 1_000) {
  for (let n = 0; n < fleet; n++) {
    fold.take(reportOf(n, at + n), load);
    samples++;
    if (load.batch.size >= 20_000) await flush();
  }
  if ((at - T) % DAY_MS === 0) await store.keepUp(at);
}
await flush();
await store.keepUp(fold.now);
const { user, system } = process.cpuUsage(began);

const now = fold.now;
const chart = (metric: string, span: number, everyMs: number) => (i: number) =>
  store.history(
    { acquirer: 'acme', sn: of((i * 7919) % fleet), metric, from: floor(now - span, everyMs), to: floor(now, everyMs) + everyMs, everyMs },
    now,
  );
const figures = {
  samples,
  'CPU-s/million samples, folded and written': ((user + system) / samples).toFixed(1),
  'file MB': Math.round((await stat(path)).size / 1e6),
  ...(await time('30 days of signal_rsrp by 1 h', chart('signal_rsrp', 30 * DAY_MS, 3_600_000))),
  ...(await time('1 day of signal_rsrp by 5 min', chart('signal_rsrp', DAY_MS, 300_000))),
  ...(await time('1 day of seq, which is not rolled up', chart('seq', DAY_MS, 300_000))),
  ...(await time('a day of the fleet by the hour', () =>
    store.query(
      `SELECT "at" // 3600000 AS hour, count(DISTINCT sn) AS terminals, sum(n) AS samples, avg(signal_rsrp_mean) AS rsrp
       FROM main.terminal_5m WHERE "at" >= ? GROUP BY hour ORDER BY hour`,
      [BigInt(now - DAY_MS)],
    ),
  )),
};
console.log(JSON.stringify(figures));
process.once('SIGTERM', () => process.exit(0));
setInterval(() => {}, 1_000);

function of(n: number): string {
  return `SN${100_000 + n}`;
}

function floor(at: number, every: number): number {
  return Math.floor(at / every) * every;
}

function reportOf(n: number, at: number): MessageEntry {
  const seq = Math.floor((at - T) / 1_000);
  const body = { v: 1 as const, session: 's1', seq, samples: [{ ...benchSample(n + seq), at }] };
  const decoded = { ok: true as const, message: { channel: 'report' as const, body } };
  return { kind: 'message', at, node: 'n1', acquirer: 'acme', sn: of(n), channel: 'report', decoded } as MessageEntry;
}

async function time(what: string, ask: (i: number) => Promise<unknown>): Promise<Record<string, string>> {
  const took: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const from = performance.now();
    await ask(i);
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  return { [what]: `${took[Math.floor(ASKED / 2)]!.toFixed(0)} ms, at most ${took.at(-1)!.toFixed(0)}` };
}
