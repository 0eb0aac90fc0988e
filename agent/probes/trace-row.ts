import { type Sample, type Signal, sample as sampleSchema } from '../../protocol/schemas/sample.ts';

/** One line of a trace, by its columns' names. */
export type TraceRow = ReadonlyMap<string, string>;

/** The columns without which a file is no trace. */
export const REQUIRED_COLUMNS = ['Timestamp', 'NetworkMode'] as const;

const RATS: ReadonlyMap<string, Signal['rat']> = new Map([
  ['5G', 'nr'],
  ['LTE', 'lte'],
  ['HSPA+', 'umts'],
  ['HSPA', 'umts'],
  ['HSDPA', 'umts'],
  ['HSUPA', 'umts'],
  ['UMTS', 'umts'],
  ['EDGE', 'gsm'],
  ['GPRS', 'gsm'],
  ['GSM', 'gsm'],
]);

const UNKNOWN_RSRP = -200;
const UNKNOWN_SNR = -30;

/** LACs that stand for "none" (3GPP TS 23.003, 4.1), and FFFF, which modems print for unknown. */
const UNKNOWN_LACS = ['0', 'fffe', 'ffff'];
/** What Android and modems give for an unknown cell: 2^28 - 1, 2^31 - 1, and 0. */
const UNKNOWN_CELLS = [0, 0xfffffff, 0x7fffffff];

/** `2019.11.28_07.27.57`, taken as UTC, in epoch milliseconds. Undefined where it is no time. */
export function traceTime(text: string | undefined): number | undefined {
  const match = /^(\d{4})\.(\d\d)\.(\d\d)_(\d\d)\.(\d\d)\.(\d\d)$/.exec(text?.trim() ?? '');
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number];
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  const isReal = new Date(at).toISOString().startsWith(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}`);
  return isReal ? at : undefined;
}

/** A row as a sample at `at`. What is unknown, or impossible by the schema, is absent: the sample is always a valid one. */
export function traceSample(row: TraceRow, at: number): Sample {
  const lat = numberIn(row, 'Latitude');
  const lon = numberIn(row, 'Longitude');
  const place = lat !== undefined && lon !== undefined ? { lat, lon, datum: 'wgs84' as const } : undefined;
  return possible({ at, signal: defined({ ...radioOf(row), ...operatorOf(row), ...cellOf(row) }), ...(place && { place }) });
}

/**
 * On LTE and 5G the columns are what they are called. On 3G and 2G the RSRP column holds the signal strength of AT+CSQ
 * (-113 + 2 * n dBm: every value is odd), which is RSSI, and the other columns are left over from before or constant.
 */
function radioOf(row: TraceRow): Signal {
  const rat = RATS.get(row.get('NetworkMode')?.trim() ?? '');
  const level = numberIn(row, 'RSRP');
  const isKnown = level !== UNKNOWN_RSRP;
  if (rat === 'umts' || rat === 'gsm') return { rat, rssi: isKnown ? level : undefined };
  const sinr = numberIn(row, 'SNR');
  const rssi = numberIn(row, 'RSSI');
  if (!isKnown) return { rat, rssi };
  return { rat, rsrp: level, rsrq: numberIn(row, 'RSRQ'), sinr: sinr === UNKNOWN_SNR ? undefined : sinr, rssi };
}

/** Some rows name the operator by its code (`27203`), most by a name. */
function operatorOf(row: TraceRow): Signal {
  const code = /^(\d{3})(\d{2,3})$/.exec(row.get('Operatorname')?.trim() ?? '');
  return code ? { mcc: code[1], mnc: code[2] } : {};
}

/** The cell is RAWCELLID in hexadecimal: NODEHEX and CELLHEX have no fixed width, so that joined they would not be unique. */
function cellOf(row: TraceRow): Signal {
  const lac = row.get('LACHEX')?.trim().toLowerCase() ?? '';
  const cell = numberIn(row, 'RAWCELLID');
  return {
    lac: /^[0-9a-f]+$/.test(lac) && !UNKNOWN_LACS.includes(lac) ? lac : undefined,
    cell: cell !== undefined && Number.isSafeInteger(cell) && cell > 0 && !UNKNOWN_CELLS.includes(cell) ? cell.toString(16) : undefined,
  };
}

/** `-` and anything else that is no number is absent. */
function numberIn(row: TraceRow, column: string): number | undefined {
  const text = row.get(column)?.trim();
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function defined(signal: Signal): Signal {
  return Object.fromEntries(Object.entries(signal).filter(([, value]) => value !== undefined));
}

/** The sample without the members that its schema refuses. */
function possible(sample: Sample): Sample {
  const refused = sampleSchema.safeParse(sample).error?.issues ?? [];
  const groups: Record<string, unknown> = structuredClone(sample);
  for (const { path } of refused) {
    // A place without one of its coordinates is no place.
    if (path[0] === 'place') delete groups.place;
    else delete (groups.signal as Record<string, unknown>)[String(path[1])];
  }
  return groups as Sample;
}
