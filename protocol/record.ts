/**
 * The records of the brokers' log, as bytes. A message keeps what the broker knew when it came (receive time, terminal, channel,
 * node) and its raw payload, so that a better decoder can read history again.
 *
 * Layout: u8 kind, f64 `at` (epoch milliseconds, big-endian), then for a message four u8-length-prefixed ASCII texts (node,
 * acquirer, sn, channel) and the payload; for anything else, UTF-8 JSON of its other members.
 */
import type { HeartbeatEntry, RefusalEntry } from './entries.ts';
import { isUpChannel, type UpChannel } from './topics.ts';

const MESSAGE = 1;
const HEARTBEAT = 2;
const REFUSAL = 3;
const HEAD_BYTES = 9;

/** A message as the broker received it. */
export interface Arrival {
  kind: 'arrival';
  at: number;
  node: string;
  acquirer: string;
  sn: string;
  channel: UpChannel;
  payload: Uint8Array;
}

export type BrokerRecord = Arrival | HeartbeatEntry | RefusalEntry;

const utf8 = new TextDecoder();

export function encodeRecord(record: BrokerRecord): Uint8Array {
  return record.kind === 'arrival' ? encodeArrival(record) : encodeJson(record.kind === 'heartbeat' ? HEARTBEAT : REFUSAL, record);
}

/** Errors: throws on bytes that encodeRecord did not make; the log's checksums make that a defect, not an input. */
export function decodeRecord(bytes: Uint8Array): BrokerRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = view.getFloat64(1);
  const kind = view.getUint8(0);
  if (kind === MESSAGE) return decodeArrival(bytes, at);
  if (kind !== HEARTBEAT && kind !== REFUSAL) throw new Error(`a record of unknown kind ${kind}: was this log written by a newer version?`);
  const members = JSON.parse(utf8.decode(bytes.subarray(HEAD_BYTES)));
  return { kind: kind === HEARTBEAT ? 'heartbeat' : 'refusal', at, ...members };
}

/** All that stands before the payload in the records of one channel of one terminal; their times are left open. */
export function arrivalHead({ node, acquirer, sn, channel }: Omit<Arrival, 'kind' | 'at' | 'payload'>): Uint8Array {
  const texts = [node, acquirer, sn, channel];
  const bytes = new Uint8Array(HEAD_BYTES + texts.reduce((n, t) => n + 1 + t.length, 0));
  bytes[0] = MESSAGE;
  let offset = HEAD_BYTES;
  for (const text of texts) {
    bytes[offset++] = text.length;
    for (let i = 0; i < text.length; i++) bytes[offset++] = text.charCodeAt(i);
  }
  return bytes;
}

/** Writes a message's record at the start of `target`, which has room for it. */
export function writeArrival(target: Uint8Array, head: Uint8Array, at: number, payload: Uint8Array): void {
  target.set(head);
  new DataView(target.buffer, target.byteOffset).setFloat64(1, at);
  target.set(payload, head.length);
}

function encodeArrival(arrival: Arrival): Uint8Array {
  const head = arrivalHead(arrival);
  const bytes = new Uint8Array(head.length + arrival.payload.length);
  writeArrival(bytes, head, arrival.at, arrival.payload);
  return bytes;
}

function decodeArrival(bytes: Uint8Array, at: number): Arrival {
  let offset = HEAD_BYTES;
  const text = () => {
    const end = offset + 1 + bytes[offset]!;
    let out = '';
    for (let i = offset + 1; i < end; i++) out += String.fromCharCode(bytes[i]!);
    offset = end;
    return out;
  };
  const [node, acquirer, sn, channel] = [text(), text(), text(), text()];
  if (!isUpChannel(channel)) throw new Error(`a record of an unknown channel ${channel}`);
  return { kind: 'arrival', at, node, acquirer, sn, channel, payload: bytes.subarray(offset) };
}

function encodeJson(kind: number, record: HeartbeatEntry | RefusalEntry): Uint8Array {
  const { kind: _, at, ...members } = record;
  const json = new TextEncoder().encode(JSON.stringify(members));
  const bytes = new Uint8Array(HEAD_BYTES + json.length);
  writeHead(bytes, kind, at);
  bytes.set(json, HEAD_BYTES);
  return bytes;
}

function writeHead(bytes: Uint8Array, kind: number, at: number): void {
  bytes[0] = kind;
  new DataView(bytes.buffer).setFloat64(1, at);
}
