/** A way to a real InfluxDB on which things go wrong: a server before it that passes requests on, or answers in its place, or breaks off. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { byForm } from './form.ts';

/** Longer than a write waits for its answer in the full form; the way then breaks off by itself in the short one. */
const HANG_MS = byForm(3_000, 45_000);
const UNLUCKY = 0.4;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Asks the InfluxDB itself. */
  pass(): Promise<{ status: number; body: Buffer; type: string }>;
}

type Mischief = (exchange: Exchange) => void | Promise<void>;

const breakOff = ({ request }: Exchange) => void request.socket.resetAndDestroy();

function answer(status: number, headers: Record<string, string> = {}, message = 'not now'): Mischief {
  return ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ code: String(status), message }));
  };
}

const MISCHIEF: Record<string, Mischief> = {
  '429, Retry-After in seconds': answer(429, { 'retry-after': '1' }),
  '429, Retry-After as a date': (exchange) => answer(429, { 'retry-after': new Date(Date.now() + 1_500).toUTCString() })(exchange),
  503: answer(503),
  '503, Retry-After': answer(503, { 'retry-after': '1' }),
  500: answer(500, {}, 'an internal error has occurred'),
  'a page that is none of its own': ({ response }) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>soon</p>'),
  'reset before it was written': breakOff,
  'reset after it was written': (exchange) => exchange.pass().then(() => breakOff(exchange)),
  'no answer, not written': (exchange) => delay(HANG_MS).then(() => breakOff(exchange)),
  'no answer, written': (exchange) =>
    exchange
      .pass()
      .then(() => delay(HANG_MS))
      .then(() => breakOff(exchange)),
  'half of a head, written': async (exchange) => {
    await exchange.pass();
    exchange.request.socket.end('HTTP/1.1 204 No Con');
  },
  'half of a body': ({ response }) => {
    response.writeHead(503, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"code":"unav', () => response.destroy());
  },
};

export interface BadWay {
  readonly url: string;
  /** `bad`: now and then something goes wrong; `unauthorized`: every request is answered with 401. */
  mood: 'good' | 'bad' | 'unauthorized';
  /** How often what went wrong. */
  readonly done: Readonly<Record<string, number>>;
}

/**
 * `first`: the number of what goes wrong first; the others follow in turn. `refused`: lines that match are never taken: a write that
 * has one among others is answered with 400, and nothing of it is written.
 */
export async function openBadWay(target: string, random: () => number, first: number, refused: RegExp): Promise<BadWay> {
  const done: Record<string, number> = {};
  const kinds = Object.keys(MISCHIEF);
  let turn = first;
  const next = (mood: BadWay['mood']) => {
    if (mood === 'unauthorized') return '401';
    return mood === 'bad' && random() < UNLUCKY ? kinds[turn++ % kinds.length] : undefined;
  };
  const way = { url: '', mood: 'good' as BadWay['mood'], done };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request);
    const exchange: Exchange = { request, response, pass: () => pass(target, request, body) };
    const what = next(way.mood);
    if (what !== undefined) {
      done[what] = (done[what] ?? 0) + 1;
      await (what === '401' ? answer(401, {}, 'unauthorized access') : MISCHIEF[what]!)(exchange);
    } else if (isRefused(request, body, refused)) {
      done['400'] = (done['400'] ?? 0) + 1;
      answer(400, {}, 'unable to parse a line: invalid field')(exchange);
    } else {
      const { status, body: text, type } = await exchange.pass();
      response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(text);
    }
  };
  // Whoever asked may be gone, or the server away: that is a broken way, too.
  const server = createServer((request, response) => void serve(request, response).catch(() => request.socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  way.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return way;
}

function isRefused({ url }: IncomingMessage, body: Buffer, refused: RegExp): boolean {
  return url!.startsWith('/api/v2/write') && body.length > 0 && refused.test(gunzipSync(body).toString());
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function pass(target: string, { method, url, headers }: IncomingMessage, body: Buffer) {
  const names = ['authorization', 'accept', 'content-type', 'content-encoding'];
  const answer = await fetch(target + url, {
    method: method!,
    headers: names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])] as [string, string]])),
    ...(method === 'GET' ? {} : { body: new Uint8Array(body) }),
  });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()), type: answer.headers.get('content-type') ?? '' };
}
