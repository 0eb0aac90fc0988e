import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreError } from './port.ts';

/** Some of the lines of a batch: from, to before. */
export interface Range {
  from: number;
  to: number;
}

/** Writes spent on finding the refused ones of a batch whose others are written by then. */
const MOST_WRITES = 200;

/** Lines of which the store refused some, and what it said. */
interface Refused extends Range {
  error: StoreError;
}

/**
 * Writes all lines that the server takes, and hands the others to `onRefused`. It does not say which ones it refuses, so the batch is
 * halved until they stand alone or are a whole group. Where that takes too many writes, some that are written are handed over with
 * them. Errors: any StoreError but `rejected`, and then the whole is to be written again.
 */
export async function writeAround(
  write: (range: Range) => Promise<void>,
  all: Range,
  onRefused: (range: Range, detail: string) => Promise<void>,
): Promise<void> {
  const first = await refusalOf(write, all);
  // Largest groups first: where the writes run out, what is left is in small ones.
  const groups: Refused[] = first ? [{ ...all, error: first }] : [];
  let writes = 0;
  for (let group = groups.shift(); group; group = groups.shift()) {
    const { from, to } = group;
    if (isFound(group) || (group.error.dropped !== undefined && writes >= MOST_WRITES)) {
      await onRefused({ from, to }, group.error.message);
      continue;
    }
    const middle = Math.ceil((from + to) / 2);
    for (const half of [
      { from, to: middle },
      { from: middle, to },
    ]) {
      await nextTurn();
      writes++;
      const error = await refusalOf(write, half);
      if (error) groups.push({ ...half, error });
    }
  }
}

function isFound({ from, to, error }: Refused): boolean {
  return to - from === 1 || (error.dropped ?? 0) >= to - from;
}

async function refusalOf(write: (range: Range) => Promise<void>, range: Range): Promise<StoreError | undefined> {
  try {
    await write(range);
    return undefined;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'rejected') throw error;
    return error;
  }
}
