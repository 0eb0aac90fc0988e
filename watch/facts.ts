/** A message entry -> what the fold may take from it, and the reason where it may take little. */
import type { MessageEntry } from '../protocol/entries.ts';
import type { Message } from '../protocol/schemas/messages.ts';
import type { Sample } from '../protocol/schemas/sample.ts';
import { noteMessage, placeSample, type SessionNote, type Sessions } from './fleet/sessions.ts';

export interface Facts {
  /** Whether the terminal was alive at the entry's time. */
  life: boolean;
  /** new, duplicate (the same session and seq came before), undecodable, replayed, old_will, will */
  why: 'new' | 'duplicate' | 'undecodable' | 'replayed' | 'old_will' | 'will';
  /** Absent where nothing but life may be taken from the entry. */
  message?: Message;
  note?: SessionNote;
}

/** Takes the message into its terminal's sessions. A Will is the broker's word, and nobody's life. */
export function factsOf({ at, decoded, replayed }: MessageEntry, sessions: Sessions): Facts {
  if (!decoded.ok) return { life: replayed === undefined, why: 'undecodable' };
  const { message } = decoded;
  const note = noteMessage(sessions, message, replayed?.at ?? at, replayed !== undefined);
  if (!note.fresh) return { life: replayed === undefined, why: 'duplicate' };
  if (replayed) return { life: false, why: 'replayed', message, note };
  if (message.channel === 'state' && message.body.state === 'lost') {
    return note.current ? { life: false, why: 'will', message, note } : { life: false, why: 'old_will' };
  }
  return { life: true, why: 'new', message, note };
}

/** The samples of a report, each placed in time (epoch milliseconds, whole). */
export function placedSamples({ message, note }: Facts): Sample[] {
  if (message?.channel !== 'report') return [];
  return message.body.samples.map((sample) => ({ ...sample, at: Math.round(placeSample(sample.at, note?.skewMs ?? 0)) }));
}
