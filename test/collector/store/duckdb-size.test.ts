import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Fold } from '../../../collector/feed/fold.ts';
import { type DuckDbStore, openDuckDbStore } from '../../../collector/store/duckdb.ts';
import { checkPayload } from '../../../protocol/codec/check.ts';
import { tempDir } from '../../helpers/tempdir.ts';

const T = Math.floor(1_763_798_400_000 / 86_400_000) * 86_400_000;
const DAY_MS = 86_400_000;
const TERMINALS = 40;
const EVERY_MS = 300_000;

/** One day of a small fleet, folded and written as the feed does, its batches of two hours. */
async function liveADay(store: DuckDbStore, fold: Fold, day: number): Promise<void> {
  let load = { batch: store.batch(), kept: [] };
  for (let at = T + day * DAY_MS; at < T + (day + 1) * DAY_MS; at += EVERY_MS) {
    for (let n = 0; n < TERMINALS; n++) {
      const seq = Math.floor((at - T) / EVERY_MS);
      const sample = {
        at: at + n,
        signal: { rat: 'lte', rsrp: -80 - ((n * 7 + seq * 13) % 40), sinr: (n + seq) % 20 },
        outcomes: [{ system: 'visa', code: '00', n: 1 + (seq % 5) }],
      };
      const decoded = checkPayload('report', { v: 1, session: 's1', seq, samples: [sample] });
      fold.take({ kind: 'message', at: at + n, node: 'n1', acquirer: 'acme', sn: `SN${100_000 + n}`, channel: 'report', decoded }, load);
    }
    if (at % (2 * 3_600_000) === 0) {
      await load.batch.write({ day: String(day) }, async () => {});
      load = { batch: store.batch(), kept: [] };
    }
  }
  await load.batch.write({ day: String(day) }, async () => {});
  await store.keepUp(fold.now);
}

it('the file of a DuckDB store grows until points are as old as they are kept, and then no more', { timeout: 180_000 }, async () => {
  const path = join(await tempDir(), 'store.duckdb');
  const store = await openDuckDbStore(path, { rawDays: 5, rollupDays: 10 });
  const fold = new Fold({ series: { most: 1_000, days: 5 }, classOf: () => 'approved', say: () => {} });
  const sizes: number[] = [];

  for (let day = 0; day < 40; day++) {
    await liveADay(store, fold, day);
    sizes.push((await stat(path)).size);
  }

  const oldest = async (table: string) => {
    const [row] = await store.query(`SELECT min("at") AS at FROM main.${table}`);
    return Math.floor((Number(row!.at) - T) / DAY_MS);
  };
  expect(await oldest('terminal')).toBe(34);
  expect(await oldest('terminal_5m')).toBe(29);
  expect(await oldest('outcomes')).toBe(29);
  expect(Math.max(...sizes.slice(15))).toBeLessThan(1.3 * Math.max(...sizes.slice(0, 15)));
  // The newest days at least are ordered by terminal, each row once.
  const [row] = await store.query(
    `SELECT count(*) AS rows, count(DISTINCT (sn, "at")) AS different, count(*) FILTER (sn < before) AS turns
     FROM (SELECT sn, "at", lag(sn) OVER (ORDER BY rowid) AS before FROM main.terminal_5m WHERE "at" < ${T + 39 * DAY_MS})`,
  );
  expect(Number(row!.rows)).toBe(Number(row!.different));
  expect(Number(row!.rows)).toBe(10 * 288 * TERMINALS);
  expect(Number(row!.turns)).toBeLessThanOrEqual(10 + TERMINALS);
  await store.close();
});
