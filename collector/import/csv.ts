/** Registry files -> changes: all of them, or every bad row named. */
import { checkRow, type RegistryChange, TABLES, type Table } from '../../protocol/registry.ts';
import { isInChina } from '../../watch/fleet/datums.ts';
import { registeredPlace } from '../../watch/fleet/places.ts';
import { type Columns, readRows } from './rows.ts';

export interface ImportFile {
  /** Its base name says the table: merchants.csv, terminals.csv, scopes.csv, models.csv. */
  name: string;
  text: string;
}

/** `row` is the line of the file on which it begins, the header being on line 1; 0 where the file as a whole is meant. */
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

const FILE_COLUMNS: Record<string, Columns> = {
  merchants: {
    known: ['acquirer', 'merchant', 'name', 'terminal_limit', 'limit_from', 'limit_reason', 'bind_limit', 'bind_days', 'region', 'tz'],
    required: ['acquirer', 'merchant'],
  },
  terminals: {
    known: ['acquirer', 'merchant', 'site', 'sn', 'tid', 'model', 'lifecycle', 'peripheral_limit', 'lat', 'lon', 'datum', 'use'],
    required: ['acquirer', 'merchant', 'sn'],
  },
  scopes: { known: ['acquirer', 'merchant', 'sn', 'region', 'card', 'kind', 'open', 'since'], required: ['acquirer'] },
  models: { known: ['model', 'peripherals', 'min_app'], required: ['model'] },
};

/** The columns that say which thing a row is about: no two rows of an import may agree in them, as their order must not matter. */
const KEYS: Record<string, readonly string[]> = {
  merchants: ['acquirer', 'merchant'],
  terminals: ['acquirer', 'sn'],
  scopes: ['acquirer', 'merchant', 'sn', 'region', 'card', 'kind'],
  models: ['model'],
};

/** Where a row of this key stood first. */
type Seen = Map<string, { file: string; row: number }>;

export function readImport(files: readonly ImportFile[]): ImportResult {
  const changes: RegistryChange[] = [];
  const problems: BadRow[] = [];
  const report: ImportReport = { rows: {}, notes: [] };
  const seen: Seen = new Map();
  for (const file of files) readFile(file, seen, changes, problems, report);
  if (files.length === 0) problems.push({ file: '', row: 0, problem: 'there is no file to import' });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, changes, report };
}

function readFile({ name, text }: ImportFile, seen: Seen, changes: RegistryChange[], problems: BadRow[], report: ImportReport): void {
  const bad = (row: number, problem: string) => problems.push({ file: name, row, problem });
  const table = FILE_TABLES.find((t) => name === `${t}.csv` || name.endsWith(`/${t}.csv`));
  if (!table) return void bad(0, `not a registry file: name it ${FILE_TABLES.map((t) => `${t}.csv`).join(', ')}`);
  const { rows, problems: unreadable } = readRows(text, FILE_COLUMNS[table]!);
  for (const { row, problem } of unreadable) bad(row, problem);
  const before = changes.length;
  for (const { row, cells } of rows) {
    const checked = checkRow(table, cells);
    if (!checked.ok) {
      for (const problem of checked.problems) bad(row, problem);
      continue;
    }
    const key = JSON.stringify([table, ...KEYS[table]!.map((column) => cells[column] ?? '')]);
    const earlier = seen.get(key);
    if (earlier) bad(row, `the same ${table.slice(0, -1)} as in row ${earlier.row}${earlier.file === name ? '' : ` of ${earlier.file}`}`);
    else seen.set(key, { file: name, row });
    changes.push(checked.value);
  }
  report.rows[table] = (report.rows[table] ?? 0) + rows.length;
  const read = changes.slice(before);
  for (const [holds, note] of ASSUMED) {
    const count = read.filter(holds).length;
    if (count > 0) report.notes.push(`${name}: ${count} of ${rows.length} ${note}`);
  }
}

const NOT_IN_CHINA = { lat: 0, lon: 0 };

/** What is assumed of rows that leave something open. */
const ASSUMED: [(change: RegistryChange) => boolean, string][] = [
  [({ table, row }) => table === 'merchants' && row.tz === undefined, 'merchants have no tz and are taken to be in UTC'],
  [
    ({ table, row }) => table === 'terminals' && (row.lat !== undefined || row.lon !== undefined) && registeredPlace(row) === null,
    'terminals have lat without lon, lon without lat, or 0,0 and are taken to have no place',
  ],
  [
    ({ table, row }) => table === 'terminals' && row.datum === undefined && isInChina(registeredPlace(row) ?? NOT_IN_CHINA),
    'terminals have a place in China without a datum: fixes are held against it in each of wgs84, gcj02 and bd09',
  ],
];
