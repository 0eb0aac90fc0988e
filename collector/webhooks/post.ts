/** One HTTP request to a receiver. The address that was checked is the one that is dialled, and no redirect is followed. */
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type Range, refusalOf } from './addresses.ts';
import { hostLookup } from './lookup.ts';

/** Of an attempt, from its start to the answer's status; its text is read no longer than that. */
export const ATTEMPT_LIMIT_MS = 15_000;
const MAX_ANSWER_BYTES = 1_024;
/** What some answers may be kept of: a receiver's headers are its own business. */
const MAX_HEADER_BYTES = 16_384;

export type Answer =
  | { kind: 'answered'; status: number; retryAfter: string | undefined; text: string }
  /** No answer, and why, in words. */
  | { kind: 'unanswered'; why: string };

export interface PostOptions {
  allowed: readonly Range[];
  signal: AbortSignal;
  limitMs?: number;
  lookup?: LookupFunction;
}

/** Never rejects. */
export function post(
  url: URL,
  headers: Record<string, string>,
  body: Buffer,
  { allowed, signal, limitMs = ATTEMPT_LIMIT_MS, lookup = hostLookup() }: PostOptions,
): Promise<Answer> {
  const tls = url.protocol === 'https:';
  // An address in figures is dialled without a look-up.
  const refusal = refusalOfLiteral(url, allowed);
  if (refusal !== null) return Promise.resolve({ kind: 'unanswered', why: refusal });
  return new Promise((resolve) => {
    const request = (tls ? https : http).request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
      agent: false,
      lookup: guarded(lookup, tls, allowed),
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
    });
    let answered = false;
    // Once there is a status that is the answer: it stands, however the rest of it ends.
    const fail = (why: string) => answered || resolve({ kind: 'unanswered', why });
    request.on('error', (error: NodeJS.ErrnoException) => fail(wordsFor(error, url)));
    // Not a signal of AbortSignal.timeout: joined to another one, it may be collected as garbage before its time.
    const limit = setTimeout(() => request.destroy(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
    request.once('close', () => {
      clearTimeout(limit);
      // Where it switches protocols, which nobody asked for, there is neither an error nor a response.
      fail('it closed the connection without an answer');
    });
    request.once('response', (response) => {
      answered = true;
      const { statusCode: status = 0, headers: given } = response;
      textOf(response).then((text) => {
        resolve({ kind: 'answered', status, retryAfter: given['retry-after'], text });
        request.destroy();
      });
    });
    request.end(body);
  });
}

/** Why no address that a host has now may be dialled; null where all may. Errors: the look-up's. */
export async function refusalOfHost(url: URL, allowed: readonly Range[], lookup: LookupFunction = hostLookup()) {
  const literal = refusalOfLiteral(url, allowed);
  if (literal !== null || literalOf(url) !== null) return literal;
  return new Promise<string | null>((resolve, reject) => {
    guarded(lookup, url.protocol === 'https:', allowed)(url.hostname, { all: true }, (error) => {
      if (error instanceof ForbiddenAddress) resolve(error.message);
      else if (error) reject(error);
      else resolve(null);
    });
  });
}

/** What a look-up brought may not be dialled. */
class ForbiddenAddress extends Error {}

/**
 * Why a request failed. Whoever sets a webhook reads it, and it must not tell them what names mean inside our network: that a name leads
 * nowhere and that it leads to where nothing is dialled is the same to them.
 */
function wordsFor(error: NodeJS.ErrnoException & { syscall?: string }, { hostname }: URL): string {
  if (error instanceof ForbiddenAddress || LOOK_UPS.test(error.syscall ?? '')) return `${hostname} leads to no public address`;
  return error.message || (error.code ?? error.name);
}

const LOOK_UPS = /^(query|getaddrinfo)/;

function literalOf({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? null : bare;
}

function refusalOfLiteral(url: URL, allowed: readonly Range[]): string | null {
  const literal = literalOf(url);
  return literal === null ? null : refusalOf(literal, url.protocol === 'https:', allowed);
}

/** A look-up that fails where any address of the host may not be dialled: one that may beside it would only hide that. */
function guarded(lookup: LookupFunction, tls: boolean, allowed: readonly Range[]): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, addresses, family) => {
      if (error) return callback(error, addresses, family);
      const all = typeof addresses === 'string' ? [addresses] : addresses.map(({ address }) => address);
      const refusal =
        all.length === 0 ? 'it has no address' : all.map((address) => refusalOf(address, tls, allowed)).find((why) => why !== null);
      if (refusal === undefined) callback(null, addresses, family);
      else callback(new ForbiddenAddress(`${hostname}: ${refusal}`), addresses, family);
    });
  };
}

/** The first kilobyte; what cannot be read of it is left out. */
async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    // It was cut off, or took too long.
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString();
}
