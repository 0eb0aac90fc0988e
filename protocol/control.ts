/** The control log: what goes back to brokers and terminals. Appended by collectors and by the command line, followed by every broker. */
import * as z from 'zod/mini';
import { epochMs, label } from './schemas/common.ts';
import { command } from './schemas/messages.ts';

const controlEntry = z.discriminatedUnion('kind', [
  /** Refuses every token of `user` (`acquirer/sn` or `noc:name`) issued at or before `at`, and ends its connections. */
  z.object({ kind: z.literal('revocation'), at: epochMs, user: label }),
  /** The key ring changed: read it again. */
  z.object({ kind: z.literal('keys'), at: epochMs }),
  z.object({ kind: z.literal('command'), at: epochMs, acquirer: label, sn: label, command }),
]);
export type ControlEntry = z.infer<typeof controlEntry>;

export function encodeControl(entry: ControlEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(entry));
}

/** Errors: throws on bytes that encodeControl did not make. */
export function decodeControl(bytes: Uint8Array): ControlEntry {
  return controlEntry.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
