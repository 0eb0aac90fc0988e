import type { Batch } from '../../../backbone/log.ts';

/** A record that its writer was told is durable, and where. */
export interface Acknowledged {
  id: string;
  batch: number;
  index: number;
}

/**
 * What is wrong with a log whose writer was killed: an acknowledged record that is missing or stands elsewhere, a record that is
 * there twice, one that stands before another that was appended earlier. Ids are `<run>-<number>`, both counted up.
 */
export function checkHistory(acknowledged: readonly Acknowledged[], log: readonly Batch[]): string[] {
  const problems: string[] = [];
  const places = new Map<string, string>();
  let before = '';
  for (const { batch, records } of log) {
    for (const [index, record] of records.entries()) {
      const id = idOf(record);
      if (places.has(id)) problems.push(`${id} stands at ${places.get(id)} and at ${batch}.${index}`);
      else if (before !== '' && !isLater(id, before)) problems.push(`${id} stands after ${before}`);
      places.set(id, `${batch}.${index}`);
      before = id;
    }
  }
  for (const { id, batch, index } of acknowledged) {
    if (!places.has(id)) problems.push(`${id} was acknowledged and is missing`);
    else if (places.get(id) !== `${batch}.${index}`)
      problems.push(`${id} was acknowledged at ${batch}.${index} and stands at ${places.get(id)}`);
  }
  return problems;
}

/** Batches that a reader saw before they were synced. Times are of one monotonic clock, in nanoseconds. */
export function checkWatermark(synced: ReadonlyMap<number, bigint>, seen: ReadonlyMap<number, bigint>): string[] {
  const problems: string[] = [];
  for (const [batch, at] of seen) {
    const durable = synced.get(batch);
    if (durable === undefined) problems.push(`batch ${batch} was read and never synced`);
    else if (at < durable) problems.push(`batch ${batch} was read ${durable - at} ns before it was synced`);
  }
  return problems;
}

/** A record of a run: its id, padded to a length of its own. */
export function recordOf(run: number, number: number): Buffer {
  return Buffer.from(`${run}-${number}:`.padEnd(20 + ((number * 37) % 700), '.'));
}

function idOf(record: Uint8Array): string {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  return bytes.toString('latin1', 0, bytes.indexOf(':'));
}

function isLater(id: string, before: string): boolean {
  const [run, number] = id.split('-').map(Number) as [number, number];
  const [runBefore, numberBefore] = before.split('-').map(Number) as [number, number];
  return run > runBefore || (run === runBefore && number > numberBefore);
}
