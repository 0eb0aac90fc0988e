/**
 * Finds, in the bytes of a PUBLISH with QoS 1, the publishing terminal's own topic: nothing is decoded, and a topic that equals these
 * bytes is well formed, allowed, and without wildcards.
 */
import { MAX_WIRE_BYTES } from '../../protocol/codec/limits.ts';
import { arrivalHead } from '../../protocol/record.ts';
import { type TerminalId, topicOf, type UpChannel } from '../../protocol/topics.ts';

/** Those that are neither retained nor begin a session: what a terminal sends all day. */
const CHANNELS = ['report', 'event', 'ack'] as const satisfies UpChannel[];

export type FrontChannel = (typeof CHANNELS)[number];

/** One of a terminal's topics: as bytes, with their length before them, and the head of its messages' records. */
export interface Lane {
  readonly acquirer: string;
  readonly channel: FrontChannel;
  readonly topic: string;
  readonly field: Uint8Array;
  readonly head: Uint8Array;
}

export function lanesOf(node: string, { acquirer, sn }: TerminalId): Lane[] {
  return CHANNELS.map((channel) => {
    const topic = topicOf({ acquirer, sn, channel });
    // Not a Buffer: of those that live as long as a connection, each would keep a slab of Node's pool.
    const field = Uint8Array.of(0, topic.length, ...Buffer.from(topic, 'latin1'));
    return { acquirer, channel, topic, field, head: arrivalHead({ node, acquirer, sn, channel }) };
  });
}

/** Where the body of the frame at `at` begins. */
export function bodyStart(bytes: Uint8Array, at: number): number {
  let position = at + 1;
  while (bytes[position]! >= 0x80) position += 1;
  return position + 1;
}

/** The lane whose topic stands at `start`, where its message, up to `end`, has an id and is not too long. */
export function laneAt(lanes: readonly Lane[], bytes: Uint8Array, start: number, end: number): Lane | undefined {
  for (const lane of lanes) {
    const idAt = start + lane.field.length;
    if (idAt + 2 > end || end - idAt - 2 > MAX_WIRE_BYTES || !standsAt(lane.field, bytes, start)) continue;
    return bytes[idAt] === 0 && bytes[idAt + 1] === 0 ? undefined : lane;
  }
  return undefined;
}

function standsAt(field: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < field.length; i += 1) if (bytes[start + i] !== field[i]) return false;
  return true;
}
