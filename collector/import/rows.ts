/** The text of a CSV file -> its rows, each with the line it begins on, as an editor counts them. */
import { parse } from 'csv-parse/sync';

export interface Columns {
  known: readonly string[];
  required: readonly string[];
}

export interface Row {
  /** The header is on line 1. */
  row: number;
  cells: Record<string, string>;
}

export interface Rows {
  rows: Row[];
  /** `row` 0 where the file as a whole is meant. */
  problems: { row: number; problem: string }[];
}

interface Line {
  row: number;
  cells: string[];
}

/** What is decoded as UTF-8 and is none has these characters in it. */
const NOT_UTF8 = '\uFFFD';

export function readRows(text: string, columns: Columns): Rows {
  // The parser would count a line end of two characters within quotes twice.
  const normal = text.replace(/\r\n?/g, '\n');
  const encoding = encodingProblem(normal);
  if (encoding) return { rows: [], problems: [encoding] };
  const { lines, broken } = parseLines(normal);
  const problems = broken ? [broken] : [];
  const [header, ...body] = lines;
  const wrong = headerProblem(header?.cells ?? [], columns);
  if (wrong) return { rows: [], problems: [{ row: header?.row ?? 0, problem: wrong }] };
  const rows: Row[] = [];
  for (const { row, cells } of body) {
    if (cells.length === header!.cells.length)
      rows.push({ row, cells: Object.fromEntries(header!.cells.map((name, i) => [name, cells[i]!])) });
    else problems.push({ row, problem: `${cells.length} cells under ${header!.cells.length} columns` });
  }
  if (body.length === 0 && !broken) problems.push({ row: 0, problem: 'no rows under the header' });
  return { rows, problems };
}

function encodingProblem(text: string): { row: number; problem: string } | undefined {
  const at = text.indexOf(NOT_UTF8);
  return at < 0 ? undefined : { row: text.slice(0, at).split('\n').length, problem: 'not UTF-8: save the file in that encoding' };
}

/** What the parser gives with `info` and `raw`; its types do not know of them. */
interface Parsed {
  record: string[];
  raw: string;
  info: { lines: number };
}

/** A quote out of place hides where the rows after it begin, so nothing after it is read. */
function parseLines(text: string): { lines: Line[]; broken?: { row: number; problem: string } } {
  let broken: { row: number; problem: string } | undefined;
  const records = parse(text, {
    bom: true,
    info: true,
    raw: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    trim: true,
    on_skip: (error, raw) => {
      broken ??= {
        row: firstLine(Number(error?.lines), raw ?? ''),
        problem: 'a quote that is out of place or never closed: the rows after it were not read',
      };
    },
  }) as unknown as Parsed[];
  const lines = records.map(({ record, raw, info }) => ({ row: firstLine(info.lines, raw), cells: record }));
  return broken ? { lines: lines.filter(({ row }) => row < broken!.row), broken } : { lines };
}

/** The parser gives the line on which a record ends, and blank lines before it as part of it. */
function firstLine(last: number, raw: string): number {
  return last - (raw.trim().match(/\n/g)?.length ?? 0);
}

function headerProblem(header: readonly string[], { known, required }: Columns): string | undefined {
  if (header.length === 0) return 'the file is empty';
  const unknown = header.filter((name) => !known.includes(name));
  if (unknown.length > 0) return `unknown column ${unknown.join(', ')}: the columns are ${known.join(',')}`;
  const missing = required.filter((name) => !header.includes(name));
  if (missing.length > 0) return `missing column ${missing.join(', ')}`;
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  return twice === undefined ? undefined : `the column ${twice} stands twice`;
}
