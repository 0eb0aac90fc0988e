/** Values of options, read. Errors: InvalidArgumentError, which the command line turns into exit 2. */
import { InvalidArgumentError } from 'commander';

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`A whole number, ${least} to ${most}.`);
  };
}

/** Epoch milliseconds, of these or of an ISO 8601 time. */
export function time(text: string): number {
  const at = /^\d{9,15}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (at >= 0) return at;
  throw new InvalidArgumentError('A time, such as 2026-03-02, 2026-03-02T08:00Z or epoch milliseconds.');
}
