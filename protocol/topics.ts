/**
 * The MQTT topics, spelled here and nowhere else: `pos/v1/{acquirer}/{sn}/{channel}`.
 */

/** Each channel: who publishes on it, and whether the broker keeps its last message for late subscribers. */
export const CHANNELS = {
  birth: { way: 'up', retained: false },
  report: { way: 'up', retained: false },
  event: { way: 'up', retained: false },
  state: { way: 'up', retained: true },
  cmd: { way: 'down', retained: false },
  ack: { way: 'up', retained: false },
} as const satisfies Record<string, { way: 'up' | 'down'; retained: boolean }>;

export type Channel = keyof typeof CHANNELS;
export type UpChannel = { [C in Channel]: (typeof CHANNELS)[C]['way'] extends 'up' ? C : never }[Channel];

export const UP_CHANNELS = (Object.keys(CHANNELS) as Channel[]).filter((c): c is UpChannel => CHANNELS[c].way === 'up');

/** A terminal, by the two names that identify it: a serial number is unique only within its acquirer. */
export interface TerminalId {
  acquirer: string;
  sn: string;
}

export interface Address extends TerminalId {
  channel: Channel;
}

export const ACQUIRER_PATTERN = /^[a-z0-9-]{1,32}$/;
export const SN_PATTERN = /^[A-Za-z0-9-]{4,32}$/;

const PREFIX = 'pos/v1/';

/** The key of a terminal in every map and table: `acquirer/sn`. It is also its MQTT user name. */
export function terminalKey({ acquirer, sn }: TerminalId): string {
  return `${acquirer}/${sn}`;
}

/** The terminal that `acquirer/sn` names, or undefined where it names none. */
export function parseTerminalKey(key: string): TerminalId | undefined {
  const [acquirer = '', sn = '', ...rest] = key.split('/');
  return rest.length === 0 && ACQUIRER_PATTERN.test(acquirer) && SN_PATTERN.test(sn) ? { acquirer, sn } : undefined;
}

export function topicOf({ acquirer, sn, channel }: Address): string {
  return `${PREFIX}${acquirer}/${sn}/${channel}`;
}

/** The address that a topic names, or undefined where the topic is not one of ours. */
export function parseTopic(topic: string): Address | undefined {
  if (!topic.startsWith(PREFIX)) return undefined;
  const cut = topic.lastIndexOf('/');
  const channel = topic.slice(cut + 1);
  const terminal = parseTerminalKey(topic.slice(PREFIX.length, cut));
  return terminal && isChannel(channel) ? { ...terminal, channel } : undefined;
}

export function isUpChannel(channel: string): channel is UpChannel {
  return isChannel(channel) && CHANNELS[channel].way === 'up';
}

function isChannel(channel: string): channel is Channel {
  return Object.hasOwn(CHANNELS, channel);
}
