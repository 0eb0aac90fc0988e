/** A message entry -> what the fold may take from it, and the reason where it may take little. */
import type { MessageEntry } from '../protocol/entries.ts';
import type { Message } from '../protocol/schemas/messages.ts';
import type { Sample } from '../protocol/schemas/sample.ts';
import { CLOCK_TOLERANCE_MS, noteMessage, placeSample, type SessionNote, type Sessions } from './fleet/sessions.ts';

const DAY_MS = 86_400_000;
const OLDEST_BACKLOG_DAYS = 3_660;
const OLDEST_BACKLOG_MS = OLDEST_BACKLOG_DAYS * DAY_MS;

export interface Facts {
  /** Whether the terminal was alive at the entry's time. */
  life: boolean;
  /** new, duplicate (the same session and seq came before), undecodable, replayed, old_will, will */
  why: 'new' | 'duplicate' | 'undecodable' | 'replayed' | 'old_will' | 'will';
  /** Absent where nothing but life may be taken from the entry. */
  message?: Message;
  note?: SessionNote;
}

/**
 * Takes the message into its terminal's sessions. A Will is the broker's word, and nobody's life. `steppedMs`: by how much the
 * broker's clock has stepped so far.
 */
export function factsOf({ at, decoded, replayed }: MessageEntry, of: { sessions: Sessions }, steppedMs = 0): Facts {
  if (!decoded.ok) return { life: replayed === undefined, why: 'undecodable' };
  const { message } = decoded;
  const note = noteMessage(of, message, replayed?.at ?? at, { replayed: replayed !== undefined, steppedMs });
  if (!note.fresh) return { life: replayed === undefined, why: 'duplicate' };
  if (replayed) return { life: false, why: 'replayed', message, note };
  if (message.channel === 'state' && message.body.state === 'lost') {
    return note.current ? { life: false, why: 'will', message, note } : { life: false, why: 'old_will' };
  }
  return { life: true, why: 'new', message, note };
}

/** The samples of a report as they stand in time, and those whose time cannot be true. */
export interface Placed {
  /** Each at its place: epoch milliseconds, whole. */
  samples: Sample[];
  /** Their numbers in the report, from 0. */
  impossible: number[];
}

const NOTHING: Placed = { samples: [], impossible: [] };

/**
 * A sample cannot have been taken after it came, give or take what a right clock may be off, nor before any backlog began. Where our
 * own clock was put back within the session, it came later than that says.
 */
export function placedSamples({ message, note }: Facts, receivedAt: number): Placed {
  if (message?.channel !== 'report') return NOTHING;
  const placed: Placed = { samples: [], impossible: [] };
  const latest = receivedAt - Math.min(0, note?.steppedMs ?? 0) + CLOCK_TOLERANCE_MS;
  for (const [i, sample] of message.body.samples.entries()) {
    // A clock that was put right within its session is right.
    const isRight = Math.abs(receivedAt - sample.at) <= CLOCK_TOLERANCE_MS;
    const at = isRight ? sample.at : Math.round(placeSample(sample.at, note?.skewMs ?? 0));
    if (at > latest || at < receivedAt - OLDEST_BACKLOG_MS) placed.impossible.push(i);
    else placed.samples.push(at === sample.at ? sample : { ...sample, at });
  }
  return placed;
}

/** What quarantine says of them. */
export function impossibleDetail({ impossible }: Placed): string {
  return `samples ${impossible.slice(0, 20).join(', ')}: at is ahead of the receipt or over ${OLDEST_BACKLOG_DAYS} days before it, and the session's clock was right; the other samples were taken`;
}
