/** A save is written in slices, so that it never holds the loop for long. */
import type { Change } from '../backbone/state.ts';

const SLICE_ROWS = 500;
const SLICE_BYTES = 1024 * 1024;

export type Stage = (changes: readonly Change[]) => Promise<void>;

/** Stages changes slice by slice, in their order. */
export async function stageChanges(stage: Stage, changes: readonly Change[]): Promise<void> {
  for (let from = 0; from < changes.length; ) {
    let to = from;
    for (let bytes = 0; to < changes.length && to - from < SLICE_ROWS && bytes < SLICE_BYTES; to++)
      bytes += changes[to]!.value?.length ?? 0;
    await stage(changes.slice(from, to));
    from = to;
  }
}
