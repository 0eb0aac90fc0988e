/** What tests of stores share. */
import { Draft } from '../../collector/store/draft.ts';
import type { Point } from '../../collector/store/point.ts';
import type { Kept, Marks, OnRefused, TelemetryStore } from '../../collector/store/port.ts';

/** Tests write points of their own time, which is long ago. */
export const FOR_EVER: Kept = { rawDays: 0, rollupDays: 0 };

const nothingRefused: OnRefused = (points, detail) => Promise.reject(new Error(`refused ${points.length}: ${detail}`));

/** Writes points as one batch. Errors: those of the write, and where the store cannot hold a point. */
export async function write(
  store: TelemetryStore,
  points: readonly Point[],
  marks: Marks = {},
  onRefused: OnRefused = nothingRefused,
): Promise<void> {
  const batch = store.batch();
  const draft = new Draft();
  for (const point of points) {
    const problem = batch.add(draft.of(point));
    if (problem !== null) await onRefused([point], problem);
  }
  await batch.write(marks, onRefused);
}
