/**
 * The sessions of one terminal: which is the current one, how far its clock is off, and which messages of it were seen. A session is
 * one connection; what was sampled while disconnected comes later, under the session that had ended.
 */
import type { Message } from '../../protocol/schemas/messages.ts';

/** A terminal's clock counts as right within this of the broker's (contract, section 1). */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** Without a birth, samples up to this old are taken for a backlog, and older ones for a wrong clock. */
const BACKLOG_MS = 7 * 86_400_000;
/**
 * Ended sessions are remembered for as long as something of theirs may be sent again: a backlog from a terminal's disk, after any
 * number of reconnects. What was not heard for longest goes first.
 */
const SESSION_KEPT_MS = 30 * 86_400_000;
const SESSIONS_KEPT = 256;
const RANGES_KEPT = 64;

interface Session {
  id: string;
  born: boolean;
  ended: boolean;
  /** When it was last heard of, epoch milliseconds at the broker. */
  heardAt: number;
  /** Receive time minus the terminal's time, milliseconds; null until measured, and then fixed. */
  skewMs: number | null;
  /** By how much the broker's clock had stepped when the session was first heard of; absent: by nothing. */
  steppedMs?: number;
  /** Seen `seq`s as closed ranges, in order: from and to, in turns. */
  seen: number[];
  /** The gaps in them that are waited for: those before `to`, since `at`; and up to where they have been judged. */
  gap?: { at: number; to: number };
  judgedTo?: number;
}

/** The newest last. */
export type Sessions = readonly Session[];

/** What one message says of its session. */
export interface SessionNote {
  /** False where the same (session, seq) came before: it is life, and nothing else. */
  fresh: boolean;
  /** Whether the message belongs to the session that is current after it. */
  current: boolean;
  /** Whether this message began a new session. */
  began: boolean;
  /** Whether the birth of its session was seen. */
  born: boolean;
  skewMs: number;
  /** By how much the broker's clock has stepped since the session was first heard of, milliseconds. */
  steppedMs: number;
}

const NO_SESSION: SessionNote = { fresh: true, current: true, began: false, born: true, skewMs: 0, steppedMs: 0 };

/**
 * Takes a message into account. `receivedAt`: epoch milliseconds at the broker. One that is replayed from quarantine belongs to its
 * own time: it ends no session that is under way. `steppedMs`: by how much the broker's clock has stepped so far.
 */
export function noteMessage(
  of: { sessions: Sessions },
  message: Message,
  receivedAt: number,
  { replayed = false, steppedMs = 0 } = {},
): SessionNote {
  const { channel, body } = message;
  if (channel === 'ack') return NO_SESSION;
  const { sessions } = of;
  const known = sessionOf(sessions, body.session);
  // One that was heard of only by its messages, as if they were a backlog, begins when its birth comes after all.
  const isNew = known === undefined || (channel === 'birth' && known.ended && !known.born);
  const began = isNew && mayBegin(sessions, message, replayed);
  const session = known ?? newSession(body.session, receivedAt);
  if (began) of.sessions = begun(sessions, session);
  else if (!known) of.sessions = [session].concat(sessions);
  if (!known) of.sessions = remembered(of.sessions, session, receivedAt);
  if (!known && steppedMs !== 0) session.steppedMs = steppedMs;
  session.heardAt = Math.max(session.heardAt, receivedAt);
  if (channel === 'birth') session.born = true;
  session.skewMs ??= measureSkew(channel, body, receivedAt);
  const fresh = channel === 'report' || channel === 'event' ? noteSeq(session, body.seq) : true;
  const current = currentSession(of.sessions) === session;
  const stepped = steppedMs - (session.steppedMs ?? 0);
  return { fresh, current, began, born: session.born, skewMs: session.skewMs ?? 0, steppedMs: stepped };
}

export function currentSession(sessions: Sessions): Session | undefined {
  const last = sessions.at(-1);
  return last && !last.ended ? last : sessions.findLast((s) => !s.ended);
}

/** It is nearly always the last one. */
function sessionOf(sessions: Sessions, id: string): Session | undefined {
  const last = sessions.at(-1);
  return last?.id === id ? last : sessions.findLast((s) => s.id === id);
}

/** A Will begins no session, nor does what is replayed into one that is under way. */
function mayBegin(sessions: Sessions, { channel, body }: Message, replayed: boolean): boolean {
  if (channel === 'state' && body.state === 'lost') return false;
  if (replayed && currentSession(sessions) !== undefined) return false;
  return channel === 'birth' || channel === 'state' || sessions.every((s) => !s.born);
}

/** Whether numbers are still missing, before `to` and not judged yet. */
export function hasGap({ seen, judgedTo = -1 }: Readonly<Session>, to: number): boolean {
  return seen.some((from, i) => i > 0 && i % 2 === 0 && from > judgedTo && from <= to);
}

/** The first number behind the newest gap that was not judged; undefined where there is none. */
export function newestGap({ seen, judgedTo = -1 }: Readonly<Session>): number | undefined {
  const from = seen.at(-2);
  return seen.length > 2 && from! > judgedTo ? from : undefined;
}

/** Where a sample of this session stands in time, epoch milliseconds: its own `at`, unless the session's clock was wrong. */
export function placeSample(at: number, skewMs: number): number {
  return Math.abs(skewMs) <= CLOCK_TOLERANCE_MS ? at : at + skewMs;
}

/** One that is heard of only by its backlog has ended already. */
function newSession(id: string, heardAt: number): Session {
  return { id, born: false, ended: true, heardAt, skewMs: null, seen: [] };
}

/** A session that begins ends all before it. */
function begun(sessions: Sessions, session: Session): Sessions {
  for (const other of sessions) other.ended = true;
  session.ended = false;
  return sessions.filter((other) => other !== session).concat(session);
}

function remembered(sessions: Sessions, added: Session, now: number): Sessions {
  const tooMany = sessions.length - SESSIONS_KEPT;
  const oldest = now - SESSION_KEPT_MS;
  if (tooMany <= 0 && sessions.every((s) => s.heardAt >= oldest)) return sessions;
  const old = sessions.filter((s) => s.ended && s !== added).sort((a, b) => a.heardAt - b.heardAt);
  const forgotten = new Set(old.filter((session, i) => i < tooMany || session.heardAt < oldest));
  return sessions.filter((session) => !forgotten.has(session));
}

function measureSkew(channel: string, body: { at?: number | undefined; samples?: { at: number }[] }, receivedAt: number): number | null {
  if (channel === 'birth') return receivedAt - body.at!;
  const newest = body.samples ? Math.max(...body.samples.map((s) => s.at)) : body.at;
  if (newest === undefined || channel === 'state') return null;
  const skew = receivedAt - newest;
  return skew < -CLOCK_TOLERANCE_MS || skew > BACKLOG_MS ? skew : 0;
}

/**
 * False where this `seq` was seen. A gap may fill later, so ranges are kept; the oldest is forgotten when there are too many. The list is
 * exchanged where it grows: one that has grown in place holds room for sixteen more.
 */
function noteSeq(session: Session, seq: number): boolean {
  const { seen } = session;
  const last = seen.length - 1;
  if (seen[last] === seq - 1) {
    seen[last] = seq;
    return true;
  }
  const after = seen.findIndex((from, i) => i % 2 === 0 && from > seq);
  const right = after < 0 ? seen.length : after;
  const left = right - 1;
  if (left > 0 && seq <= seen[left]!) return false;
  const joinsLeft = left > 0 && seen[left] === seq - 1;
  const joinsRight = seen[right] === seq + 1;
  if (joinsLeft && joinsRight) seen.splice(left, 2);
  else if (joinsLeft) seen[left] = seq;
  else if (joinsRight) seen[right] = seq;
  else session.seen = seen.toSpliced(right, 0, seq, seq);
  if (session.seen.length > 2 * RANGES_KEPT) session.seen.splice(0, 2);
  return true;
}
