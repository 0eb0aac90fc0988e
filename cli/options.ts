/** Values of options, read. Errors: CliError. */
import { CliError } from './io.ts';

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new CliError(`"${text}" is not a whole number`, 2);
  return Number(text);
}
