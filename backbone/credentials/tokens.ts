/**
 * Tokens: MQTT passwords that a broker verifies without a store.
 *
 *     tw1.{key id}.{issued}.{expires}.{signature}      issued and expires in epoch milliseconds
 *
 * The signature is HMAC-SHA256, base64url, over all before it and the user name, so a token serves one user alone.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A signing key. `secret` is base64url of at least 32 random bytes. */
export interface Key {
  id: string;
  secret: string;
  createdAt: number;
}

/** Newest first: the first one signs, all verify. Never empty. */
export type KeyRing = readonly [Key, ...Key[]];

export type TokenProblem = 'malformed' | 'unknown_key' | 'bad_signature' | 'expired';

export type TokenVerdict = { ok: true; keyId: string; issued: number; expires: number } | { ok: false; reason: TokenProblem };

const VERSION = 'tw1';
const TOKEN_PATTERN = /^tw1\.([A-Za-z0-9_-]{1,32})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.([A-Za-z0-9_-]{43})$/;

/** What looks like a token, whole or in part: nothing that matches may reach a log. */
export const TOKEN_LIKE = /tw1\.[\w.-]*/g;

/** A token for `user`, good from `now` until before `expiresAt`. */
export function issueToken(key: Key, user: string, { now, expiresAt }: { now: number; expiresAt: number }): string {
  const head = `${VERSION}.${key.id}.${now}.${expiresAt}`;
  return `${head}.${sign(key, head, user)}`;
}

/** Whether `token` was issued to `user` by one of these keys and has not expired; revocations are the caller's to check. */
export function verifyToken(keys: KeyRing, user: string, token: string, now: number): TokenVerdict {
  const parts = TOKEN_PATTERN.exec(token);
  if (!parts) return { ok: false, reason: 'malformed' };
  const key = keys.find((k) => k.id === parts[1]);
  if (!key) return { ok: false, reason: 'unknown_key' };
  const signature = parts[4]!;
  const head = token.slice(0, -signature.length - 1);
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(sign(key, head, user)))) return { ok: false, reason: 'bad_signature' };
  const [issued, expires] = [Number(parts[2]), Number(parts[3])];
  return expires > now ? { ok: true, keyId: key.id, issued, expires } : { ok: false, reason: 'expired' };
}

function sign(key: Key, head: string, user: string): string {
  return createHmac('sha256', Buffer.from(key.secret, 'base64url')).update(`${head}.${user}`).digest('base64url');
}
