import { encodePayload } from '../protocol/codec/encode.ts';
import type { Birth, Report, State } from '../protocol/schemas/messages.ts';
import type { Sample } from '../protocol/schemas/sample.ts';
import type { Message } from './outbox.ts';

/** A message's payload. Errors: throws on a body that cannot be made to fit, which none of a fixed size is. */
export function payloadOf(body: object): Uint8Array {
  const encoded = encodePayload(body);
  if (!encoded.ok) throw new Error(`a message is too large: ${encoded.detail}`);
  return encoded.bytes;
}

export function statePayload(session: string, state: Exclude<State['state'], 'lost'>, at: number): Uint8Array {
  return payloadOf({ v: 1, session, at, state } satisfies State);
}

/** The Will has no `at`: nobody knows beforehand when it will be said. */
export function willPayload(session: string): string {
  return JSON.stringify({ v: 1, session, state: 'lost' } satisfies State);
}

/** What the agent tells of itself after every connect, beside the session and the time. */
export type Identity = Pick<Birth, 'merchant' | 'site' | 'tid' | 'model' | 'interval' | 'keepalive'>;

export function birthPayload(session: string, at: number, identity: Identity): Uint8Array {
  return payloadOf({ v: 1, session, at, ...identity } satisfies Birth);
}

/** Counts the messages of a session: from 0, one for each report or event. */
export interface SessionCount {
  session: string;
  seq: number;
}

/**
 * Samples as report messages, as few as fit on the wire, counted on from `count`. A sample that alone does not fit is left out and goes
 * to `onTooLarge`.
 */
export function reportMessages(count: SessionCount, samples: readonly Sample[], onTooLarge: (sample: Sample) => void): Message[] {
  if (samples.length === 0) return [];
  const { session, seq } = count;
  const encoded = encodePayload({ v: 1, session, seq, samples: [...samples] } satisfies Report);
  if (encoded.ok) {
    count.seq++;
    return [{ session, seq, channel: 'report', payload: encoded.bytes }];
  }
  if (samples.length === 1) {
    onTooLarge(samples[0]!);
    return [];
  }
  const middle = Math.ceil(samples.length / 2);
  return [samples.slice(0, middle), samples.slice(middle)].flatMap((half) => reportMessages(count, half, onTooLarge));
}
