/**
 * A message's way into the log, whoever takes it: Aedes or the front. Aedes calls `authorizePublish` before it acknowledges anything, and
 * for all messages of one read of a connection at the same time: so each append is made at once, in order, and the PUBACK follows when
 * the message is durable.
 */
import type { AuthorizePublishHandler, Client, PublishPacket } from 'aedes';
import { MAX_WIRE_BYTES } from '../protocol/codec/limits.ts';
import { encodeRecord } from '../protocol/record.ts';
import { CHANNELS, type TerminalId, UP_CHANNELS, type UpChannel } from '../protocol/topics.ts';
import { mayPublish, upAddress } from './access.ts';
import type { Intake } from './intake.ts';
import type { Acted } from './limits/acted.ts';
import type { LimitValues } from './limits/table.ts';
import { type RefusalReason, type Refusals, RefusedError } from './refusals.ts';
import type { Session, Sessions } from './sessions.ts';

type UpAddress = TerminalId & { channel: UpChannel };
/** Whose message it is, and on which channel. */
type Lane = Pick<UpAddress, 'acquirer' | 'channel'>;
type Callback = (error?: Error | null) => void;

export interface Publishing {
  authorizePublish: AuthorizePublishHandler;
  /** Appends the record of a session's message; calls back as Intake's `take` does. */
  append(lane: Lane, record: Uint8Array, session: Session | undefined, done: (error?: Error) => void): void;
  /** From now on messages and Wills are neither taken nor answered: the broker is about to end all connections. */
  hold(): void;
  holding(): boolean;
  /** Messages that became durable, by channel. */
  counts(): Record<UpChannel, number>;
}

export interface PublishingOptions {
  node: string;
  now: () => number;
  intake: Intake;
  sessions: Sessions;
  refusals: Refusals;
  limits: Pick<LimitValues, 'kept_state_bytes'>;
  acted: Acted;
}

export function createPublishing({ node, now, intake, sessions, refusals, limits, acted }: PublishingOptions): Publishing {
  const counts = Object.fromEntries(UP_CHANNELS.map((channel) => [channel, 0])) as Record<UpChannel, number>;
  let holding = false;

  function takePublish(session: Session, packet: PublishPacket, callback: Callback): void {
    if (packet.qos > 0 && !isMessageId(packet.messageId)) return refuse(session, 'bad_packet', `message id ${packet.messageId}`, callback);
    const verdict = mayPublish(session.user, packet.topic);
    if (!verdict.ok) return refuse(session, verdict.reason, `publish to ${packet.topic}`, callback);
    if (packet.payload.length > MAX_WIRE_BYTES)
      return refuse(session, 'oversized', `${packet.payload.length} bytes to ${packet.topic}`, callback);
    if (packet.retain) packet.retain = mayKeep(verdict.address, packet);
    take(verdict.address, packet, session, callback);
  }

  function mayKeep({ channel }: UpAddress, { payload }: PublishPacket): boolean {
    if (!CHANNELS[channel].retained) return false;
    if (payload.length <= limits.kept_state_bytes) return true;
    acted.add('kept_state_bytes');
    return false;
  }

  /** Its topic was checked when the client connected. One for a client that lives comes from Aedes' own sweep after a long standstill. */
  function takeWill(client: Client | null, will: PublishPacket, callback: Callback): void {
    const session = client ? sessions.of(client) : undefined;
    if (client && !client.closed) return callback(new Error('the client of this Will is alive'));
    if (session?.ended === 'ours') return callback(new Error('the broker ended this connection itself'));
    const verdict = upAddress(will.topic);
    if (!verdict.ok) return callback(new RefusedError(verdict.reason));
    take(verdict.address, will, session, callback);
  }

  function take(address: UpAddress, { payload }: PublishPacket, session: Session | undefined, callback: Callback): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const record = encodeRecord({ kind: 'arrival', at: now(), node, ...address, payload: bytes });
    if (session) session.inAedes += 1;
    append(address, record, session, (error) => {
      // In a turn of its own, after the front's PUBACKs (acks.ts): what Aedes does must not reach into the log's loop over a batch.
      queueMicrotask(() => {
        if (session) session.inAedes -= 1;
        callback(error);
      });
    });
  }

  function append({ acquirer, channel }: Lane, record: Uint8Array, session: Session | undefined, done: (error?: Error) => void): void {
    intake.take(acquirer, record, (error) => {
      if (error && session) session.ended = 'ours';
      if (!error) counts[channel] += 1;
      done(error);
    });
  }

  function refuse(session: Session, reason: RefusalReason, detail: string, callback: Callback): void {
    session.ended = 'refused';
    refusals.add(reason, session.user.user, detail);
    callback(new RefusedError(reason));
  }

  return {
    authorizePublish(client, packet, callback) {
      if (holding) return;
      if (isWill(packet)) return takeWill(client, packet, callback);
      const session = client ? sessions.of(client) : undefined;
      if (!session || session.ended) return callback(new Error('this connection is about to end'));
      takePublish(session, packet, callback);
    },
    append,
    hold: () => {
      holding = true;
    },
    holding: () => holding,
    counts: () => ({ ...counts }),
  };
}

/** MQTT 3.1.1, 2.3.1: from 1 to 65 535. The parser gives 0 as it came, and -1 for one that is missing. */
function isMessageId(id: number | undefined): boolean {
  return id !== undefined && id > 0;
}

/** A Will is part of a CONNECT, so it is no packet with a command of its own. */
function isWill(packet: { cmd?: string }): boolean {
  return packet.cmd === undefined;
}
