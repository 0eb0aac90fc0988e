import { closeSync, openSync, writeSync } from 'node:fs';
import type { Incident } from '../simulator/actions.ts';
import { CliError } from './io.ts';

export interface TruthFile {
  add: (incident: Incident) => void;
  close(): void;
}

/** What is true of a simulation, one incident a line; nothing where no file is wanted. Errors: CliError where it cannot be made. */
export function truthFile(path: string | undefined): TruthFile {
  if (path === undefined) return { add: () => {}, close: () => {} };
  const file = opened(path);
  return { add: (incident) => void writeSync(file, `${JSON.stringify(incident)}\n`), close: () => closeSync(file) };
}

function opened(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    throw new CliError(`--truth: ${path} cannot be written (${(error as NodeJS.ErrnoException).code}): name another file`);
  }
}
