import type { Offset } from '../../backbone/log.ts';

/** How far the two logs have been read: the next record of each. Everything before has been taken in. */
export interface Position {
  brokers: Offset;
  owner: Offset;
}

export const START: Position = { brokers: { batch: 1, index: 0 }, owner: { batch: 1, index: 0 } };

export function isBefore(a: Offset, b: Offset): boolean {
  return a.batch < b.batch || (a.batch === b.batch && a.index < b.index);
}

/** Whether everything before `b` is also before `a`, in both logs. */
export function hasReached(a: Position, b: Position): boolean {
  return !isBefore(a.brokers, b.brokers) && !isBefore(a.owner, b.owner);
}

/** `brokers/owner` as `batch.index/batch.index`. */
export function positionToText({ brokers, owner }: Position): string {
  return `${brokers.batch}.${brokers.index}/${owner.batch}.${owner.index}`;
}

/** Errors: throws on a text that positionToText did not make. */
export function positionFromText(text: string): Position {
  const match = /^(\d+)\.(\d+)\/(\d+)\.(\d+)$/.exec(text);
  if (!match) throw new Error(`not a position in the logs: ${text}`);
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number];
  return { brokers: { batch: a, index: b }, owner: { batch: c, index: d } };
}
