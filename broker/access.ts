/** Who may publish and subscribe to what (contract.md, section 1). Everything not allowed here is denied. */
import type { User } from '../backbone/credentials/users.ts';
import { type Address, isUpChannel, parseTopic, type TerminalId, topicOf, type UpChannel } from '../protocol/topics.ts';

export type AccessProblem =
  | 'reserved_topic' // below $SYS, which is the broker's own
  | 'not_our_topic' // not pos/v1/{acquirer}/{sn}/{channel}
  | 'foreign_topic' // another terminal's
  | 'wrong_way' // its own, against the channel's direction
  | 'read_only' // a monitoring tool does not publish
  | 'wildcard'; // a terminal subscribes to its own command topic alone

export type PublishVerdict = { ok: true; address: TerminalId & { channel: UpChannel } } | { ok: false; reason: AccessProblem };
export type SubscribeVerdict = { ok: true } | { ok: false; reason: AccessProblem };

/** Where a broker and everything below `$SYS` speak of the broker itself. */
const SYS_PREFIX = '$SYS/';
const FLEET_PREFIX = 'pos/v1/';

/** Whether `user` may publish to `topic`; then `address` is what the topic names. */
export function mayPublish(user: User, topic: string): PublishVerdict {
  const verdict = upAddress(topic);
  if (!verdict.ok) return verdict;
  if (user.kind === 'noc') return { ok: false, reason: 'read_only' };
  return isOwn(user, verdict.address) ? verdict : { ok: false, reason: 'foreign_topic' };
}

/** The terminal and the up channel that `topic` names, whoever asks. */
export function upAddress(topic: string): PublishVerdict {
  if (topic.startsWith(SYS_PREFIX)) return { ok: false, reason: 'reserved_topic' };
  const address = parseTopic(topic);
  if (!address) return { ok: false, reason: 'not_our_topic' };
  const { acquirer, sn, channel } = address;
  return isUpChannel(channel) ? { ok: true, address: { acquirer, sn, channel } } : { ok: false, reason: 'wrong_way' };
}

/** Whether `user` may subscribe to `filter`. A filter that is not well formed is Aedes' to refuse. */
export function maySubscribe(user: User, filter: string): SubscribeVerdict {
  return user.kind === 'noc' ? nocMaySubscribe(filter) : terminalMaySubscribe(user, filter);
}

/**
 * Whether `user` may be sent a message on `topic`, whatever brought it. Commands reach their terminal alone: one that rotates
 * credentials carries the new token.
 */
export function mayReceive(user: User, topic: string): boolean {
  if (user.kind === 'terminal') return topic === commandTopic(user);
  return topic.startsWith(SYS_PREFIX) || upAddress(topic).ok;
}

export function commandTopic({ acquirer, sn }: TerminalId): string {
  return topicOf({ acquirer, sn, channel: 'cmd' });
}

function nocMaySubscribe(filter: string): SubscribeVerdict {
  return filter.startsWith(FLEET_PREFIX) || filter.startsWith(SYS_PREFIX) ? { ok: true } : { ok: false, reason: 'not_our_topic' };
}

function terminalMaySubscribe(user: TerminalId, filter: string): SubscribeVerdict {
  if (filter === commandTopic(user)) return { ok: true };
  if (/[+#]/.test(filter)) return { ok: false, reason: 'wildcard' };
  if (filter.startsWith(SYS_PREFIX)) return { ok: false, reason: 'reserved_topic' };
  const address = parseTopic(filter);
  if (!address) return { ok: false, reason: 'not_our_topic' };
  return { ok: false, reason: isOwn(user, address) ? 'wrong_way' : 'foreign_topic' };
}

function isOwn(user: TerminalId, address: Address): boolean {
  return address.acquirer === user.acquirer && address.sn === user.sn;
}
