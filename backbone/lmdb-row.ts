/**
 * The keys of rows in LMDB: table, 0, key, 0, slot (0 or 1). A zero byte in a name is written as 0 255, so that a row's two slots stand
 * side by side and rows stand in the order of their keys' UTF-8 bytes.
 */

/** The keys of a row's two slots. */
export type Row = readonly [Buffer, Buffer];

const ZERO = Buffer.from([0]);
const ESCAPED_ZERO = Buffer.from([0, 255]);

/** Where a table's rows are, from its first or from the one after `after` on. */
export function rowRange(table: string, after?: string): { start: Buffer; end: Buffer; prefixBytes: number } {
  const prefix = prefixOf(table);
  const start = after === undefined ? prefix : Buffer.concat([prefix, zerosEscaped(after), Buffer.from([0, 2])]);
  return { start, end: Buffer.concat([zerosEscaped(table), Buffer.from([1])]), prefixBytes: prefix.length };
}

export function slotKeys(table: string, key: string): Row {
  return bothSlots(Buffer.concat([prefixOf(table), zerosEscaped(key), Buffer.from([0, 0])]));
}

/** The keys of both slots of the row that a slot belongs to. */
export function bothSlots(slotKey: Buffer): Row {
  const row: Row = [Buffer.from(slotKey), Buffer.from(slotKey)];
  row[0][slotKey.length - 1] = 0;
  row[1][slotKey.length - 1] = 1;
  return row;
}

/** Whether two slots are of one row: they differ at most in their last byte. */
export function sameRow(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && a.compare(b, 0, b.length - 1, 0, a.length - 1) === 0;
}

/** The key of the row that a slot belongs to. */
export function rowText(slotKey: Buffer, prefixBytes: number): string {
  const escaped = slotKey.subarray(prefixBytes, slotKey.length - 2);
  return escaped.includes(0) ? withZeros(escaped) : escaped.toString('utf8');
}

function prefixOf(table: string): Buffer {
  return Buffer.concat([zerosEscaped(table), ZERO]);
}

function zerosEscaped(name: string): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  if (!bytes.includes(0)) return bytes;
  return Buffer.concat([...bytes].map((byte) => (byte === 0 ? ESCAPED_ZERO : Buffer.from([byte]))));
}

function withZeros(bytes: Buffer): string {
  return Buffer.from(bytes.filter((byte, i) => !(byte === 255 && bytes[i - 1] === 0))).toString('utf8');
}
