/** A receiver to try webhooks with: takes deliveries, verifies them as a bank would, and tells what came. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SignedHeaders, whyNotGenuine } from './signature.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** Ids remembered, to tell what came again. */
const MAX_IDS = 10_000;

/** A delivery that came. `problem`: why it is not to be believed, null where it is; `again`: its webhook-id came before. */
export interface Received {
  at: number;
  headers: Partial<SignedHeaders>;
  body: string;
  problem: string | null;
  again: boolean;
}

export interface ListenerOptions {
  host: string;
  port: number;
  key: Buffer;
  now(): number;
  received(delivery: Received): void;
}

/** Answers 204 to what is genuine, and 401 to what is not. Errors: the system's, where the address is taken. */
export function startListener({ host, port, key, now, received }: ListenerOptions): Promise<{ url: string; stop(): Promise<void> }> {
  const ids = new Set<string>();
  const take = (headers: http.IncomingHttpHeaders, body: Buffer): number => {
    const signed = signedIn(headers);
    const problem = whyNotGenuine(signed, body, key, now());
    const id = signed['webhook-id'] ?? '';
    const again = ids.has(id);
    if (problem === null && ids.size < MAX_IDS) ids.add(id);
    received({ at: now(), headers: signed, body: body.toString(), problem, again });
    return problem === null ? 204 : 401;
  };
  const server = http.createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405, { allow: 'POST' }).end();
    bodyOf(request)
      .then((body) => response.writeHead(body === null ? 413 : take(request.headers, body)).end())
      .catch(() => response.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const { address, port: bound, family } = server.address() as AddressInfo;
      const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}/`;
      resolve({ url, stop: () => stopped(server) });
    });
  });
}

function signedIn(headers: http.IncomingHttpHeaders): Partial<SignedHeaders> {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
  return Object.fromEntries(names.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])));
}

/** Null where it is too large. */
async function bodyOf(request: http.IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}

function stopped(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
