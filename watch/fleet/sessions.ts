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
  /** Seen `seq`s as closed ranges, in order. */
  seen: [number, number][];
}

/** The newest last. */
export type Sessions = Session[];

/** What one message says of its session. */
export interface SessionNote {
  /** False where the same (session, seq) came before: it is life, and nothing else. */
  fresh: boolean;
  /** Whether the message belongs to the session that is current after it. */
  current: boolean;
  /** Whether this message began a new session. */
  began: boolean;
  skewMs: number;
}

const NO_SESSION: SessionNote = { fresh: true, current: true, began: false, skewMs: 0 };

/**
 * Takes a message into account. `receivedAt`: epoch milliseconds at the broker. One that is replayed from quarantine belongs to its
 * own time: it ends no session that is under way.
 */
export function noteMessage(sessions: Sessions, { channel, body }: Message, receivedAt: number, replayed = false): SessionNote {
  if (channel === 'ack') return NO_SESSION;
  const known = sessions.findLast((s) => s.id === body.session);
  const isLost = channel === 'state' && body.state === 'lost';
  const opens = channel === 'birth' || (channel === 'state' && !isLost) || sessions.every((s) => !s.born);
  const late = replayed && currentSession(sessions) !== undefined;
  const began = known === undefined && opens && !isLost && !late;
  const session = known ?? addSession(sessions, body.session, began, receivedAt);
  session.heardAt = Math.max(session.heardAt, receivedAt);
  if (channel === 'birth') session.born = true;
  session.skewMs ??= measureSkew(channel, body, receivedAt);
  const fresh = channel === 'report' || channel === 'event' ? noteSeq(session, body.seq) : true;
  return { fresh, current: currentSession(sessions) === session, began, skewMs: session.skewMs ?? 0 };
}

export function currentSession(sessions: Sessions): Session | undefined {
  return sessions.findLast((s) => !s.ended);
}

/** Where a sample of this session stands in time, epoch milliseconds: its own `at`, unless the session's clock was wrong. */
export function placeSample(at: number, skewMs: number): number {
  return Math.abs(skewMs) <= CLOCK_TOLERANCE_MS ? at : at + skewMs;
}

/** A session that begins ends all before it; one that is heard of only by its backlog has ended already. */
function addSession(sessions: Sessions, id: string, begins: boolean, heardAt: number): Session {
  if (begins) for (const s of sessions) s.ended = true;
  const session: Session = { id, born: false, ended: !begins, heardAt, skewMs: null, seen: [] };
  if (begins) sessions.push(session);
  else sessions.unshift(session);
  forgetSessions(sessions, session, heardAt);
  return session;
}

function forgetSessions(sessions: Sessions, added: Session, now: number): void {
  const old = sessions.filter((s) => s.ended && s !== added).sort((a, b) => a.heardAt - b.heardAt);
  const tooMany = Math.max(0, sessions.length - SESSIONS_KEPT);
  for (const [i, session] of old.entries()) {
    if (i >= tooMany && session.heardAt >= now - SESSION_KEPT_MS) return;
    sessions.splice(sessions.indexOf(session), 1);
  }
}

function measureSkew(channel: string, body: { at?: number | undefined; samples?: { at: number }[] }, receivedAt: number): number | null {
  if (channel === 'birth') return receivedAt - body.at!;
  const newest = body.samples ? Math.max(...body.samples.map((s) => s.at)) : body.at;
  if (newest === undefined || channel === 'state') return null;
  const skew = receivedAt - newest;
  return skew < -CLOCK_TOLERANCE_MS || skew > BACKLOG_MS ? skew : 0;
}

/** False where this `seq` was seen. A gap may fill later, so ranges are kept; the oldest is forgotten when there are too many. */
function noteSeq({ seen }: Session, seq: number): boolean {
  const newest = seen.at(-1);
  if (newest && seq === newest[1] + 1) {
    newest[1] = seq;
    return true;
  }
  const after = seen.findIndex(([from]) => from > seq);
  const index = after < 0 ? seen.length : after;
  const left = seen[index - 1];
  const right = seen[index];
  if (left && seq <= left[1]) return false;
  const joinsLeft = left !== undefined && left[1] === seq - 1;
  const joinsRight = right !== undefined && right[0] === seq + 1;
  if (joinsLeft && joinsRight) {
    left[1] = right[1];
    seen.splice(index, 1);
  } else if (joinsLeft) left[1] = seq;
  else if (joinsRight) right[0] = seq;
  else seen.splice(index, 0, [seq, seq]);
  if (seen.length > RANGES_KEPT) seen.shift();
  return true;
}
