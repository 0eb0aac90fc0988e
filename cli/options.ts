/** Values of options, read. Errors: CliError. */
import { CliError } from './io.ts';

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new CliError(`"${text}" is not a whole number`, 2);
  return Number(text);
}

/** Epoch milliseconds. */
export function timeOf(text: string): number {
  const time = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(time)) throw new CliError(`"${text}" is not a time, such as 2026-11-28T06:00Z`, 2);
  return time;
}
