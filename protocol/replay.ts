/** The replay format: one entry of the log a line, as JSON (contract, section 5). */
import { checkPayload } from './codec/check.ts';
import { decodePayload } from './codec/decode.ts';
import { type Entry, type MessageEntry, type OwnerEntry, ownerEntryFromLine, ownerEntryToLine } from './entries.ts';
import { readWindowAction } from './operator.ts';
import { epochMs } from './schemas/common.ts';
import { isUpChannel, parseTopic, topicOf } from './topics.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export type LineResult = { ok: true; entry: Entry } | { ok: false; problem: string };

/** The entry that a line of a replay file holds, or what is wrong with it. */
export function entryFromLine(text: string): LineResult {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'not JSON' };
  }
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return { ok: false, problem: 'not a JSON object' };
  return 'topic' in line ? messageFromLine(line as Record<string, unknown>) : ownersFromLine(line);
}

/** A file comes from anywhere: what would be passed over in silence is said. */
function ownersFromLine(line: object): LineResult {
  const result = ownerEntryFromLine(line);
  const read = result.ok && result.entry.kind === 'operator' ? readWindowAction(result.entry.body) : null;
  return read?.ok === false ? { ok: false, problem: `operator: ${read.problems.join('; ')}` } : result;
}

/** A message as a line: its payload where it could be read, else its raw bytes. Heartbeats and refusals are no lines. */
export function lineFromEntry(entry: OwnerEntry | (MessageEntry & { raw: Uint8Array })): string {
  if (entry.kind !== 'message') return JSON.stringify(ownerEntryToLine(entry));
  const { at, node, decoded, raw, replayed } = entry;
  const topic = topicOf(entry);
  const content = decoded.ok ? { payload: decoded.message.body } : { raw: Buffer.from(raw).toString('base64') };
  return JSON.stringify({ at, topic, ...content, ...(node === '' ? {} : { node }), ...(replayed && { replayOf: { at: replayed.at } }) });
}

function messageFromLine(line: Record<string, unknown>): LineResult {
  const { at, topic, payload, raw, node = '', replayOf } = line;
  const address = typeof topic === 'string' ? parseTopic(topic) : undefined;
  if (!isTime(at)) return { ok: false, problem: '"at" must be a time in epoch milliseconds' };
  if (!address || !isUpChannel(address.channel))
    return { ok: false, problem: '"topic" must be pos/v1/{acquirer}/{sn}/{channel} with a channel that terminals publish on' };
  if (typeof node !== 'string') return { ok: false, problem: '"node" must be a text' };
  if ((payload === undefined) === (raw === undefined)) return { ok: false, problem: 'a message has either "payload" or "raw"' };
  if (raw !== undefined && !isBase64(raw)) return { ok: false, problem: '"raw" must be base64' };
  const { channel } = address;
  const decoded = raw === undefined ? checkPayload(channel, payload) : decodePayload(channel, Buffer.from(raw, 'base64'));
  const replayed = replayTime(replayOf);
  if (replayed === null) return { ok: false, problem: '"replayOf" must be {"at": epoch milliseconds}' };
  return {
    ok: true,
    entry: { kind: 'message', at, node, acquirer: address.acquirer, sn: address.sn, channel, decoded, ...(replayed && { replayed }) },
  };
}

function replayTime(value: unknown): { at: number } | undefined | null {
  if (value === undefined) return undefined;
  const at = (value as { at?: unknown } | null)?.at;
  return isTime(at) ? { at } : null;
}

function isTime(value: unknown): value is number {
  return epochMs.safeParse(value).success;
}

/** Buffer.from takes any text for base64 and leaves out what is not. */
function isBase64(value: unknown): value is string {
  return typeof value === 'string' && BASE64.test(value) && value.replace(/=+$/, '').length % 4 !== 1;
}
