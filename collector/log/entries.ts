/** The logs' records, decoded to the entries that the watch and the feed read. */
import type { Offset } from '../../backbone/log.ts';
import { decodePayload } from '../../protocol/codec/decode.ts';
import {
  type Entry,
  type HeartbeatEntry,
  type MessageEntry,
  type OwnerEntry,
  ownerEntryFromLine,
  ownerEntryToLine,
  type RefusalEntry,
  type ReplayedMessage,
} from '../../protocol/entries.ts';
import { decodeRecord } from '../../protocol/record.ts';
import { entryFromLine } from '../../protocol/replay.ts';
import { topicOf } from '../../protocol/topics.ts';

/** A message with the bytes it came as. */
export type ReceivedMessage = MessageEntry & { raw: Uint8Array };
export type BrokerEntry = ReceivedMessage | HeartbeatEntry | RefusalEntry;

/** A record of the owner's log: an entry, and the offset of the brokers' log that it comes before. */
export interface OwnerRecord {
  before: Offset;
  entry: OwnerEntry;
}

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

export function decodeBrokerRecord(bytes: Uint8Array): BrokerEntry {
  const record = decodeRecord(bytes);
  if (record.kind !== 'arrival') return record;
  const { at, node, acquirer, sn, channel, payload } = record;
  return { kind: 'message', at, node, acquirer, sn, channel, decoded: decodePayload(channel, payload), raw: payload };
}

export function encodeOwnerRecord({ before, entry }: OwnerRecord): Uint8Array {
  const line = entry.kind === 'message' ? replayToLine(entry) : ownerEntryToLine(entry);
  return utf8.encoder.encode(JSON.stringify({ before: [before.batch, before.index], ...line }));
}

/** Errors: throws on bytes that encodeOwnerRecord did not make. */
export function decodeOwnerRecord(bytes: Uint8Array): OwnerRecord {
  const line = JSON.parse(utf8.decoder.decode(bytes));
  const result = 'replayOf' in line ? replayFromLine(line) : ownerEntryFromLine(line);
  if (!result.ok) throw new Error(`the owner's log holds what this version cannot read: ${result.problem}`);
  const [batch, index] = line.before;
  return { before: { batch, index }, entry: result.entry };
}

/** Always by its bytes, so that a better decoder can read it once more. */
function replayToLine(entry: ReplayedMessage): Record<string, unknown> {
  const { at, node, raw, replayed } = entry;
  return { at, topic: topicOf(entry), raw: Buffer.from(raw).toString('base64'), node, replayOf: replayed };
}

function replayFromLine(line: { raw: string; replayOf: ReplayedMessage['replayed'] }) {
  const result = entryFromLine(JSON.stringify(line));
  if (!result.ok) return result;
  const entry = { ...result.entry, raw: Buffer.from(line.raw, 'base64'), replayed: line.replayOf } as ReplayedMessage;
  return { ok: true as const, entry };
}

/** Messages are the brokers', but for those that the owner replays. */
export function isOwnerEntry(entry: Entry | BrokerEntry): entry is OwnerEntry {
  if (entry.kind === 'message') return entry.replayed !== undefined;
  return entry.kind !== 'heartbeat' && entry.kind !== 'refusal';
}
