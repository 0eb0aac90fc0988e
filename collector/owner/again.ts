/** Reading again, by the present version, what an earlier one could not read. */
import { decodePayload } from '../../protocol/codec/decode.ts';
import type { ReplayedMessage } from '../../protocol/entries.ts';
import { isUpChannel, parseTerminalKey } from '../../protocol/topics.ts';
import type { Quarantined } from './outputs.ts';

/** The entry that replays a quarantined message at a time, or why there can be none. */
export type Again = { ok: true; entry(at: number): ReplayedMessage } | { ok: false; reason: string; detail: string };

export function readAgain({ id, at: receivedAt, node, from, channel, reason, raw: base64 }: Quarantined): Again {
  if (base64 === null) return no('refusal', 'the broker refused it, and never had a message: there is nothing to replay');
  const terminal = parseTerminalKey(from);
  if (channel === null || !isUpChannel(channel) || !terminal)
    return no('point', 'it is a point that the store refused; its message was taken: see what the store says of it');
  if (reason === 'bad_time')
    return no(reason, 'it could be read, and what of it can be true was taken: the time of the rest stays impossible, whoever reads it');
  const raw = Buffer.from(base64, 'base64');
  const decoded = decodePayload(channel, raw);
  if (!decoded.ok) return decoded;
  return {
    ok: true,
    entry: (at) => ({ kind: 'message', at, node, ...terminal, channel, decoded, raw, replayed: { at: receivedAt, id } }),
  };
}

function no(reason: string, detail: string): Again {
  return { ok: false, reason, detail };
}
