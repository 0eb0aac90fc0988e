import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Marks, type Point, StoreError, type TelemetryStore } from './port.ts';

/** Keeps points that their store refuses, with the reason; durable once resolved. */
export type OnRejected = (points: readonly Point[], error: StoreError) => void | Promise<void>;

/** Writes spent on finding the refused ones of a batch whose others are written by then. */
const MOST_WRITES = 200;

/** Points of which the store refused some, and what it said. */
interface Refused {
  points: readonly Point[];
  error: StoreError;
}

/**
 * Writes all points that the store takes, and hands the others to `onRejected` before the marks move past them. Where the store names
 * the refused ones, the rest is one write with its marks; where it does not (InfluxDB), the batch is halved until they stand alone or
 * are a whole group. Where that takes too many writes, some that are written are handed over with them.
 * Errors: any StoreError but `rejected`, and then the whole is to be written again.
 */
export async function writeAround(store: TelemetryStore, points: readonly Point[], marks: Marks, onRejected: OnRejected): Promise<void> {
  const error = await refusalOf(store, points, marks);
  if (!error) return;
  if (points.length === 0) throw error;
  if (!error.points) {
    await findRefused(store, { points, error }, onRejected);
    return store.write([], marks);
  }
  const named = new Set(error.points);
  const rest = points.filter((point) => !named.has(point));
  if (rest.length === points.length) throw error;
  await onRejected(error.points, error);
  return writeAround(store, rest, marks, onRejected);
}

/** Largest groups first: where the writes run out, what is left is in small ones. */
async function findRefused(store: TelemetryStore, batch: Refused, onRejected: OnRejected): Promise<void> {
  const groups = [batch];
  let writes = 0;
  for (let group = groups.shift(); group; group = groups.shift()) {
    if (isFound(group) || (group.error.dropped !== undefined && writes >= MOST_WRITES)) {
      await onRejected(group.points, group.error);
      continue;
    }
    const middle = Math.ceil(group.points.length / 2);
    for (const points of [group.points.slice(0, middle), group.points.slice(middle)]) {
      await nextTurn();
      writes++;
      const error = await refusalOf(store, points, {});
      if (error) groups.push({ points, error });
    }
  }
}

function isFound({ points, error }: Refused): boolean {
  return points.length === 1 || (error.dropped ?? 0) >= points.length;
}

async function refusalOf(store: TelemetryStore, points: readonly Point[], marks: Marks): Promise<StoreError | undefined> {
  try {
    await store.write(points, marks);
    return undefined;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'rejected') throw error;
    return error;
  }
}
