/** The data files that tables of the protocol were taken from. They are not part of the repository: where they are missing, `rows` is empty. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';

export type Row = Readonly<Record<string, string>>;

export function sharedCsv(name: string): { missing: boolean; rows: Row[] } {
  const path = fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url));
  return existsSync(path) ? { missing: false, rows: parse(readFileSync(path), { columns: true }) as Row[] } : { missing: true, rows: [] };
}
