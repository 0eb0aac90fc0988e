import { type Marks, type Point, StoreError, type TelemetryStore } from './port.ts';

/** Keeps a point that its store refuses, with the reason; durable once resolved. */
export type OnRejected = (point: Point, error: StoreError) => void | Promise<void>;

/**
 * Writes all points that the store takes, and hands each of the others to `onRejected` before the marks move past it. Where the store
 * names the refused ones, the rest is one write with its marks; where it does not (InfluxDB), the batch is halved until they stand alone.
 * Errors: any StoreError but `rejected`, and then the whole is to be written again.
 */
export async function writeAround(store: TelemetryStore, points: readonly Point[], marks: Marks, onRejected: OnRejected): Promise<void> {
  try {
    await store.write(points, marks);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'rejected' || points.length === 0) throw error;
    const refused = new Set(error.points ?? (points.length === 1 ? points : []));
    for (const point of refused) await onRejected(point, error);
    if (refused.size > 0) {
      const rest = points.filter((point) => !refused.has(point));
      if (rest.length === points.length) throw error;
      return writeAround(store, rest, marks, onRejected);
    }
    const middle = Math.ceil(points.length / 2);
    await writeAround(store, points.slice(0, middle), {}, onRejected);
    await writeAround(store, points.slice(middle), marks, onRejected);
  }
}
