import type { Message } from '../schemas/messages.ts';

/** Why a message went to quarantine. */
export const QUARANTINE_REASONS = [
  'oversized', // more than MAX_WIRE_BYTES on the wire
  'inflated_too_large', // more than MAX_INFLATED_BYTES once inflated
  'bad_deflate', // starts as zlib does, and is not
  'bad_utf8',
  'bad_json',
  'bad_columns', // columnar, and its columns do not fit together
  'bad_schema', // a member is missing, of a wrong type or impossible
  'bad_time', // a sample lies ahead of its receipt, or so far back that no backlog explains it
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** A message as far as it could be read. `detail` is for people: it names the member, never a secret. */
export type Decoded = { ok: true; message: Message } | { ok: false; reason: QuarantineReason; detail: string };
