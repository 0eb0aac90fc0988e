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
} from '../../protocol/entries.ts';
import { decodeRecord } from '../../protocol/record.ts';

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
  return utf8.encoder.encode(JSON.stringify({ before: [before.batch, before.index], ...ownerEntryToLine(entry) }));
}

/** Errors: throws on bytes that encodeOwnerRecord did not make. */
export function decodeOwnerRecord(bytes: Uint8Array): OwnerRecord {
  const line = JSON.parse(utf8.decoder.decode(bytes));
  const result = ownerEntryFromLine(line);
  if (!result.ok) throw new Error(`the owner's log holds what this version cannot read: ${result.problem}`);
  const [batch, index] = line.before;
  return { before: { batch, index }, entry: result.entry };
}

export function isOwnerEntry(entry: Entry | BrokerEntry): entry is OwnerEntry {
  return entry.kind !== 'message' && entry.kind !== 'heartbeat' && entry.kind !== 'refusal';
}
