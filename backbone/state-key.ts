import type { Change } from './state.ts';

const MAX_KEY_BYTES = 500;
const MAX_TABLE_BYTES = 64;

/** Errors: RangeError for a name that no adapter could keep. */
export function checkChange({ table, key }: Change): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) throw new RangeError(`a key of ${bytes} bytes in ${table}: at most ${MAX_KEY_BYTES}`);
  if (table === '' || Buffer.byteLength(table) > MAX_TABLE_BYTES) throw new RangeError(`not a table's name: "${table}"`);
}
