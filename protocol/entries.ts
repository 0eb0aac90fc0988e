/**
 * The entries that the watch folds over. One entry of a log is one line of the replay format; in the logs themselves messages
 * keep their raw bytes (see record.ts).
 */
import * as z from 'zod/mini';
import type { Decoded } from './codec/decoded.ts';
import { checkRow, type RegistryChange, TABLES } from './registry.ts';
import { epochMs, label } from './schemas/common.ts';
import { type Command, command } from './schemas/messages.ts';
import type { TerminalId, UpChannel } from './topics.ts';

export const PLATFORM_PARTS = ['broker', 'log', 'store', 'collector', 'clock'] as const;

const platform = z.union([
  z.object({ part: z.enum(PLATFORM_PARTS), state: z.enum(['down', 'up']), node: z.optional(label) }),
  z.object({ part: z.literal('clock'), state: z.literal('step'), ms: z.number(), node: z.optional(label) }),
]);
export type PlatformState = z.infer<typeof platform>;

/** What a terminal sent, decoded as far as possible. `replayed`: from quarantine, data of its own time and never a sign of life. */
export interface MessageEntry {
  kind: 'message';
  at: number;
  node: string;
  acquirer: string;
  sn: string;
  channel: UpChannel;
  decoded: Decoded;
  /** When it came, and the id under which it was in quarantine where that is known. */
  replayed?: { at: number; id?: string };
}

/** A message from quarantine that the owner has appended once more, with the bytes it came as. */
export type ReplayedMessage = MessageEntry & { raw: Uint8Array; replayed: { at: number; id?: string } };

/**
 * Each second of a broker's life. `uptime`: milliseconds of its monotonic clock, `boot` names its process; the two tell a step
 * of the wall clock from an absence.
 */
export interface HeartbeatEntry {
  kind: 'heartbeat';
  at: number;
  node: string;
  boot: string;
  uptime: number;
}

/** Something that the broker did not accept. It is listed, and is no sign of life. */
export interface RefusalEntry {
  kind: 'refusal';
  at: number;
  node: string;
  /** The user name as it was given; not proven. */
  user: string;
  reason: string;
  detail: string;
}

/** A row with an `import` waits for the commit entry of that import, and is ignored where none comes. */
export interface RegistryEntry {
  kind: 'registry';
  at: number;
  change: RegistryChange;
  import?: string;
}

export interface CommitEntry {
  kind: 'commit';
  at: number;
  import: string;
}

export interface PlatformEntry {
  kind: 'platform';
  at: number;
  platform: PlatformState;
}

export interface TickEntry {
  kind: 'tick';
  at: number;
}

/** An operator's action or a set of rules: part of the log's format. */
export interface OperatorEntry {
  kind: 'operator' | 'rules';
  at: number;
  body: Record<string, unknown>;
  /** Who set the rules; an operator's action names its author in its body. */
  by?: string;
}

/** An operator gives a terminal a command: it has one outcome from here on, whatever becomes of its way to the terminal. */
export interface CommandEntry extends TerminalId {
  kind: 'command';
  at: number;
  command: ExpiringCommand;
}

export type ExpiringCommand = Command & { expires: number };

type PlainEntry = RegistryEntry | CommitEntry | PlatformEntry | TickEntry | OperatorEntry | CommandEntry;

export type Entry = MessageEntry | HeartbeatEntry | RefusalEntry | PlainEntry;

/** What the collector that owns a partition appends itself. */
export type OwnerEntry = PlainEntry | ReplayedMessage;

const ownerLine = z.union([
  z.object({ at: epochMs, tick: z.literal(true) }),
  z.object({ at: epochMs, platform }),
  z.object({
    at: epochMs,
    registry: z.object({ table: z.enum(TABLES), row: z.record(z.string(), z.unknown()) }),
    import: z.optional(label),
  }),
  z.object({ at: epochMs, commit: label }),
  z.object({ at: epochMs, operator: z.record(z.string(), z.unknown()) }),
  z.object({ at: epochMs, rules: z.record(z.string(), z.unknown()), by: z.optional(label) }),
  z.object({ at: epochMs, acquirer: label, sn: label, command: z.extend(command, { expires: epochMs }) }),
]);

/** An owner's entry, but for messages, as the plain value that is written to its log or to a line of a replay file. */
export function ownerEntryToLine(entry: PlainEntry): Record<string, unknown> {
  const { at } = entry;
  switch (entry.kind) {
    case 'tick':
      return { at, tick: true };
    case 'platform':
      return { at, platform: entry.platform };
    case 'registry':
      return { at, registry: entry.change, ...(entry.import === undefined ? {} : { import: entry.import }) };
    case 'commit':
      return { at, commit: entry.import };
    case 'command': {
      const { acquirer, sn, command } = entry;
      return { at, acquirer, sn, command };
    }
    default:
      if (entry.kind === 'operator') return { at, operator: entry.body };
      return { at, rules: entry.body, ...(entry.by === undefined ? {} : { by: entry.by }) };
  }
}

/** The owner's entry that a line holds, or why it holds none. */
export function ownerEntryFromLine(line: unknown): { ok: true; entry: PlainEntry } | { ok: false; problem: string } {
  const result = ownerLine.safeParse(line);
  if (!result.success)
    return {
      ok: false,
      problem:
        'not an entry of the log: none of tick, platform, registry, commit, operator, rules, command, or one of them with a wrong member',
    };
  const value = result.data;
  const { at } = value;
  if ('tick' in value) return { ok: true, entry: { kind: 'tick', at } };
  if ('platform' in value) return { ok: true, entry: { kind: 'platform', at, platform: value.platform } };
  if ('commit' in value) return { ok: true, entry: { kind: 'commit', at, import: value.commit } };
  if ('command' in value) {
    const { acquirer, sn, command } = value;
    return { ok: true, entry: { kind: 'command', at, acquirer, sn, command } };
  }
  if ('operator' in value) return { ok: true, entry: { kind: 'operator', at, body: value.operator } };
  if ('rules' in value) {
    return { ok: true, entry: { kind: 'rules', at, body: value.rules, ...(value.by === undefined ? {} : { by: value.by }) } };
  }
  const row = checkRow(value.registry.table, value.registry.row);
  if (!row.ok) return { ok: false, problem: `${value.registry.table}: ${row.problems.join('; ')}` };
  return { ok: true, entry: { kind: 'registry', at, change: row.value, ...(value.import === undefined ? {} : { import: value.import }) } };
}
