/** How rows of the state are keyed and encoded. */
const encoder = new TextEncoder();

export function toBytes(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function fromBytes<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** A key that sorts as its number does. */
export function numberKey(n: number): string {
  return String(n).padStart(15, '0');
}

/** A key under which the newest comes first. */
export function newestFirst(at: number, id: string): string {
  return `${numberKey(999_999_999_999_999 - at)}.${id}`;
}
