/**
 * The commands of one terminal that have no outcome yet. Each is sent until it is acknowledged or expires, and has one outcome: what
 * its first ack says, or that it expired. What comes later changes no outcome.
 */
import type { ExpiringCommand } from '../../protocol/entries.ts';
import { type Ack, NOT_SUPPORTED } from '../../protocol/schemas/messages.ts';
import type { TerminalId } from '../../protocol/topics.ts';

export const COMMAND_OUTCOMES = ['done', 'refused', 'failed', 'expired'] as const;
export type CommandOutcome = (typeof COMMAND_OUTCOMES)[number];

/** A command, and what has become of it so far. */
export interface CommandRecord extends TerminalId {
  command: ExpiringCommand;
  /** When it was given. */
  at: number;
  /** `waiting` for the terminal's birth; `sent`, perhaps more than once. */
  state: 'waiting' | 'sent' | CommandOutcome;
  /** When it was last sent, and how often since the terminal's last birth. */
  sentAt: number | null;
  tries: number;
  endedAt: number | null;
  /** What the terminal says went wrong. */
  error: string | null;
  /** The ack that came after it had expired. */
  lateAck: { at: number; ok: boolean; error: string | null } | null;
}

/** The oldest first. Those that expired are kept for a while, to tell what a late ack belongs to. */
export interface Commands extends TerminalId {
  list: CommandRecord[];
}

const FIRST_RETRY_MS = 10_000;
const LAST_RETRY_MS = 3_600_000;
const LATE_ACK_MS = 7 * 86_400_000;
const EXPIRED_KEPT = 100;

export function newRecord({ acquirer, sn }: TerminalId, command: ExpiringCommand, at: number): CommandRecord {
  const nothing = { sentAt: null, tries: 0, endedAt: null, error: null, lateAck: null };
  return { acquirer, sn, command, at, state: 'waiting', ...nothing };
}

export function isOpen({ state }: Readonly<CommandRecord>): boolean {
  return state === 'waiting' || state === 'sent';
}

/** When to send it again where it was sent and is not acknowledged: ever later, for a terminal that does not answer. */
export function resendAt({ state, sentAt, tries }: Readonly<CommandRecord>): number {
  if (state !== 'sent' || sentAt === null) return Number.POSITIVE_INFINITY;
  return sentAt + Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LAST_RETRY_MS);
}

/** Ends those whose time is over, and returns them; forgets what expired long ago. */
export function expire(commands: Commands, now: number): CommandRecord[] {
  const over = commands.list.filter((record) => isOpen(record) && record.command.expires <= now);
  for (const record of over) Object.assign(record, { state: 'expired', endedAt: now });
  const expired = commands.list.filter((record) => !isOpen(record));
  const tooMany = new Set(expired.slice(0, Math.max(0, expired.length - EXPIRED_KEPT)));
  commands.list = commands.list.filter((record) => !tooMany.has(record) && forgetAt(record) > now);
  return over;
}

/** Takes an ack in, and returns the command that it says something new of. */
export function acknowledge(commands: Commands, { id, ok, error = null }: Ack, now: number): CommandRecord | undefined {
  const record = commands.list.find(({ command }) => command.id === id);
  if (!record) return undefined;
  commands.list = commands.list.filter((other) => other !== record);
  if (isOpen(record)) Object.assign(record, { state: outcomeOf(ok, error), endedAt: now, error });
  else record.lateAck = { at: now, ok, error };
  return record;
}

/** When something is to be done next, where nothing is heard before: `connected` is whether sending again could be of use. */
export function nextAt({ list }: Readonly<Commands>, connected: boolean): number {
  const times = list.map((record) => {
    if (!isOpen(record)) return forgetAt(record);
    return connected ? Math.min(record.command.expires, resendAt(record)) : record.command.expires;
  });
  return Math.min(...times);
}

function outcomeOf(ok: boolean, error: string | null): CommandOutcome {
  if (ok) return 'done';
  return error === NOT_SUPPORTED ? 'refused' : 'failed';
}

function forgetAt(record: Readonly<CommandRecord>): number {
  return isOpen(record) ? Number.POSITIVE_INFINITY : record.command.expires + LATE_ACK_MS;
}
