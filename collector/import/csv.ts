/** Registry files -> changes: all of them, or every bad row named. */
import { parse } from 'csv-parse/sync';
import { checkRow, type RegistryChange, TABLES, type Table } from '../../protocol/registry.ts';

export interface ImportFile {
  /** Its base name says the table: merchants.csv, terminals.csv, scopes.csv, models.csv. */
  name: string;
  text: string;
}

/** `row` counts the lines of the file, the header being 1; 0 where the file as a whole is meant. */
export interface BadRow {
  file: string;
  row: number;
  problem: string;
}

export interface ImportReport {
  rows: Partial<Record<Table, number>>;
  /** What was assumed where a file said nothing. */
  notes: string[];
}

export type ImportResult = { ok: true; changes: RegistryChange[]; report: ImportReport } | { ok: false; problems: BadRow[] };

/** bindings have no file: they are bound one by one, by API or replay. */
const FILE_TABLES = TABLES.filter((table) => table !== 'bindings');

const COLUMNS: Record<string, readonly string[]> = {
  merchants: ['acquirer', 'merchant', 'name', 'terminal_limit', 'limit_from', 'limit_reason', 'bind_limit', 'bind_days', 'region', 'tz'],
  terminals: ['acquirer', 'merchant', 'site', 'sn', 'tid', 'model', 'lifecycle', 'peripheral_limit', 'lat', 'lon', 'datum', 'use'],
  scopes: ['acquirer', 'merchant', 'sn', 'region', 'card', 'kind', 'open', 'since'],
  models: ['model', 'peripherals', 'min_app'],
};

export function readImport(files: readonly ImportFile[]): ImportResult {
  const changes: RegistryChange[] = [];
  const problems: BadRow[] = [];
  const report: ImportReport = { rows: {}, notes: [] };
  for (const file of files) readFile(file, changes, problems, report);
  if (files.length === 0) problems.push({ file: '', row: 0, problem: 'there is no file to import' });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, changes, report };
}

function readFile({ name, text }: ImportFile, changes: RegistryChange[], problems: BadRow[], report: ImportReport): void {
  const bad = (row: number, problem: string) => problems.push({ file: name, row, problem });
  const table = FILE_TABLES.find((t) => name === `${t}.csv` || name.endsWith(`/${t}.csv`));
  if (!table) return void bad(0, `not a registry file: name it ${FILE_TABLES.map((t) => `${t}.csv`).join(', ')}`);
  const read = parseCsv(text, COLUMNS[table]!);
  if (typeof read === 'string') return void bad(0, read);
  const seen = new Map<string, number>();
  let withoutZone = 0;
  for (const { row, cells } of read) {
    const checked = checkRow(table, cells);
    if (!checked.ok) {
      for (const problem of checked.problems) bad(row, problem);
      continue;
    }
    const key = keyOf(table, cells);
    const earlier = key === undefined ? undefined : seen.get(key);
    if (earlier !== undefined) bad(row, `the same ${table.slice(0, -1)} as in row ${earlier}`);
    if (key !== undefined) seen.set(key, row);
    if (checked.value.table === 'merchants' && checked.value.row.tz === undefined) withoutZone++;
    changes.push(checked.value);
  }
  report.rows[table] = (report.rows[table] ?? 0) + read.length;
  if (withoutZone > 0) report.notes.push(`${name}: ${withoutZone} of ${read.length} merchants have no tz and are taken to be in UTC`);
}

/** The rows under their header, or what is wrong with the file. */
function parseCsv(text: string, columns: readonly string[]): { row: number; cells: Record<string, string> }[] | string {
  try {
    const records: { record: Record<string, string>; info: { lines: number } }[] = parse(text, {
      bom: true,
      columns: (header: string[]) =>
        checkHeader(
          header.map((h) => h.trim()),
          columns,
        ),
      info: true,
      skip_empty_lines: true,
      trim: true,
    });
    return records.length === 0 ? 'no rows under the header' : records.map(({ record, info }) => ({ row: info.lines, cells: record }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checkHeader(header: string[], columns: readonly string[]): string[] {
  const unknown = header.filter((name) => !columns.includes(name));
  if (unknown.length > 0) throw new Error(`unknown column ${unknown.join(', ')}: the columns are ${columns.join(',')}`);
  return header;
}

function keyOf(table: Table, cells: Record<string, string>): string | undefined {
  const part = { merchants: ['acquirer', 'merchant'], terminals: ['acquirer', 'sn'], models: ['model'] }[table as string];
  return part?.map((column) => cells[column]).join('\n');
}
