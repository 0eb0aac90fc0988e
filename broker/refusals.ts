/** What the broker does not accept: why, how often, and a list of it in the log that shows no secret. */
import { TOKEN_LIKE, type TokenProblem } from '../backbone/credentials/tokens.ts';
import type { RefusalEntry } from '../protocol/entries.ts';
import type { AccessProblem } from './access.ts';

export type LoginProblem =
  | TokenProblem
  | 'no_credentials'
  | 'malformed_user'
  | 'revoked'
  | 'bad_certificate' // of no authority that is trusted, or without an acquirer and a serial number
  | 'foreign_user' // another than its certificate names
  | 'foreign_client_id'
  | 'bad_will'
  | 'long_will'
  | 'protocol_version'
  | 'failing_address' // too many wrong log-ins from there
  | 'failing_identity' // too many under this name, and some from there
  | 'control_unavailable' // revocations cannot be followed
  | 'log_unavailable'; // nothing could be made durable

export type ConnectionProblem =
  | 'too_many_connections'
  | 'connect_timeout' // connected, and sent no CONNECT
  | 'bad_proxy_header' // a balancer of ours did not say whom it speaks for
  | 'tls_handshake'
  | 'bad_packet' // not MQTT 3.1.1
  | 'oversized'
  | 'too_many_unreleased' // QoS 2 messages without their PUBREL
  | 'too_many_levels'
  | 'too_many_subscriptions'
  | 'slow_reader'; // did not read what it was sent

export type RefusalReason = LoginProblem | AccessProblem | ConnectionProblem;

/** Ends a connection for a refusal that was counted. */
export class RefusedError extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(reason);
    this.name = 'RefusedError';
    this.reason = reason;
  }
}

export interface Refusals {
  /** Counts a refusal, and lists it where the second's share is not used up. `user`, `detail`: as they came. */
  add(reason: RefusalReason, user: string, detail: string): void;
  counts(): Partial<Record<RefusalReason, number>>;
  /** How many were counted and not listed. */
  unlisted(): number;
}

const LISTED_A_SECOND = 10;
const MAX_TEXT_CHARACTERS = 100;
/** Cutting a text may halve a character. */
const LONE_SURROGATES = /\p{Cs}/gu;

export function createRefusals(node: string, now: () => number, list: (entry: RefusalEntry) => void): Refusals {
  const counts: Partial<Record<RefusalReason, number>> = {};
  let unlisted = 0;
  let second = 0;
  let listed = 0;
  return {
    add(reason, user, detail) {
      counts[reason] = (counts[reason] ?? 0) + 1;
      const at = now();
      const current = Math.floor(at / 1000);
      if (current !== second) {
        second = current;
        listed = 0;
      }
      if (listed >= LISTED_A_SECOND) {
        unlisted += 1;
        return;
      }
      listed += 1;
      list({ kind: 'refusal', at, node, user: showable(user), reason, detail: showable(detail) });
    },
    counts: () => ({ ...counts }),
    unlisted: () => unlisted,
  };
}

/** Text from outside as it may be shown: short, without control characters, and without anything like a token. */
export function showable(text: string): string {
  return text
    .replace(TOKEN_LIKE, 'tw1.***')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .slice(0, MAX_TEXT_CHARACTERS)
    .replace(LONE_SURROGATES, '');
}
