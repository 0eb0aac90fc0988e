/** What a DuckDB file needs once a day: old rows removed, and yesterday's roll-ups put in the order in which charts read them. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted, type Tables } from './duckdb-tables.ts';
import type { Kept } from './port.ts';
import { ROLLUP, SAMPLES } from './rollup-layout.ts';

const DAY_MS = 86_400_000;

/** In whole days, so that what is left has no holes. `now`: the log's time. The space is used again once it is checkpointed. */
export async function keepUp(writer: DuckDBConnection, tables: Tables, { rawDays, rollupDays }: Kept, now: number): Promise<void> {
  const today = Math.floor(now / DAY_MS);
  for (const measurement of tables.keys()) {
    const days = measurement === SAMPLES ? rawDays : rollupDays;
    if (days > 0) await writer.run(`DELETE FROM main.${quoted(measurement)} WHERE "at" < ?`, [BigInt((today - days) * DAY_MS)]);
  }
  if (tables.has(ROLLUP)) await orderDays(writer, today);
  await writer.run('CHECKPOINT');
}

/**
 * Rows come by time, every terminal's among all others', so that the chart of one would be a walk through those of all. A day that is
 * over is ordered by terminal: DuckDB then knows of each stretch of rows which terminals are in it. What comes later stays at the end.
 */
async function orderDays(writer: DuckDBConnection, today: number): Promise<void> {
  await writer.run('CREATE TABLE IF NOT EXISTS tillwatch.ordered (day BIGINT NOT NULL)');
  const days = await writer.runAndReadAll(
    `SELECT DISTINCT "at" // ${DAY_MS} AS day FROM main.${ROLLUP}
     WHERE "at" >= (SELECT coalesce(max(day) + 1, 0) * ${DAY_MS} FROM tillwatch.ordered) AND "at" < ? ORDER BY day`,
    [BigInt(today * DAY_MS)],
  );
  for (const [day] of days.getRowsJS() as [bigint][]) await orderDay(writer, day);
}

async function orderDay(writer: DuckDBConnection, day: bigint): Promise<void> {
  const ofDay = `"at" >= ${day * BigInt(DAY_MS)} AND "at" < ${(day + 1n) * BigInt(DAY_MS)}`;
  await writer.run('BEGIN');
  const [[last]] = (await writer.runAndReadAll(`SELECT max(rowid) FROM main.${ROLLUP}`)).getRowsJS() as [[bigint]];
  await writer.run(`INSERT INTO main.${ROLLUP} SELECT * FROM main.${ROLLUP} WHERE ${ofDay} ORDER BY sn, acquirer, "at"`);
  await writer.run(`DELETE FROM main.${ROLLUP} WHERE ${ofDay} AND rowid <= ${last}`);
  await writer.run(`INSERT INTO tillwatch.ordered VALUES (${day})`);
  await writer.run('COMMIT');
}
