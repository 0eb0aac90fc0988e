/**
 * MQTT user names: `acquirer/sn` for a terminal, `noc:NAME` for the read-only credentials of a monitoring tool. A token is bound to
 * one of them.
 */
import { parseTerminalKey, type TerminalId } from '../../protocol/topics.ts';

const NOC_PREFIX = 'noc:';
const NOC_NAME_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;

export type User = ({ kind: 'terminal'; user: string } & TerminalId) | { kind: 'noc'; user: string; name: string };

/** Whom a user name names, or undefined where it is no user name of ours. */
export function parseUser(user: string): User | undefined {
  if (user.startsWith(NOC_PREFIX)) {
    const name = user.slice(NOC_PREFIX.length);
    return NOC_NAME_PATTERN.test(name) ? { kind: 'noc', user, name } : undefined;
  }
  const terminal = parseTerminalKey(user);
  return terminal && { kind: 'terminal', user, ...terminal };
}

/** The user name of a monitoring tool. */
export function nocUser(name: string): string {
  return `${NOC_PREFIX}${name}`;
}
