/** Times in a query. */
import { Problem } from './problem.ts';

/** Epoch milliseconds; `otherwise` where the query has none. Errors: Problem 400 for what is no time. */
export function timeOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const at = Number(text);
  if (!Number.isInteger(at) || at < 0 || at > 8.64e15) throw new Problem(400, 'Bad request', `${name} is a time in epoch milliseconds`);
  return at;
}

/** Errors: Problem 400. */
export function requireOrder(from: number, to: number): void {
  if (from >= to) throw new Problem(400, 'Bad request', 'from must be before to');
}
