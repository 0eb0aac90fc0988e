import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseRanges } from '../../../collector/webhooks/addresses.ts';
import { type PostOptions, post } from '../../../collector/webhooks/post.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { answering, receiver } from './raw-receiver.ts';

const LOOPBACK = parseRanges('127.0.0.1, ::1').ranges;
const BODY = Buffer.from('{"type":"ping","名":"☕"}');
const OK = 'HTTP/1.1 204 No Content\r\n\r\n';
/** For what is not answered; for all else the limit is far. */
const SHORT = { limitMs: 200 };

const send = (url: URL, options: Partial<PostOptions> = {}, headers: Record<string, string> = {}) =>
  post(url, headers, BODY, { allowed: LOOPBACK, signal: new AbortController().signal, limitMs: 20_000, ...options });
const unanswered = (why: string | RegExp) => ({ kind: 'unanswered', why: expect.stringMatching(why) });

describe('a request', () => {
  it('is the given headers and body, byte for byte, and nothing that was not asked for', async () => {
    const { url, received, port } = await receiver(answering(OK));

    const answer = await send(url('/hook/%E5%BA%97?key=a%20b'), {}, { 'webhook-id': 'msg_1', 'content-type': 'application/json' });

    expect(answer).toEqual({ kind: 'answered', status: 204, retryAfter: undefined, text: '' });
    expect(received).toEqual([
      [
        'POST /hook/%E5%BA%97?key=a%20b HTTP/1.1',
        'webhook-id: msg_1',
        'content-type: application/json',
        `content-length: ${BODY.length}`,
        `Host: 127.0.0.1:${port}`,
        'Connection: close',
        '',
        BODY.toString('latin1'),
      ].join('\r\n'),
    ]);
  });

  it('has a connection of its own, which is closed after it', async () => {
    const { url, connections } = await receiver((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));

    for (const _ of [1, 2]) expect(await send(url())).toMatchObject({ status: 200, text: 'ok' });

    expect(connections).toHaveLength(2);
    await eventually(() => expect(connections.map(({ destroyed }) => destroyed)).toEqual([true, true]));
  });

  it('is one only: a redirect is not followed', async () => {
    const other = await receiver(answering(OK));
    for (const status of [301, 302, 303, 307, 308]) {
      const { url, received } = await receiver(answering(`HTTP/1.1 ${status} Over there\r\nLocation: ${other.url()}\r\n\r\n`));

      expect(await send(url())).toMatchObject({ kind: 'answered', status });
      expect(received).toHaveLength(1);
    }
    expect(other.connections).toEqual([]);
  });
});

describe('an answer', () => {
  it.each<[string, string, object]>([
    [
      'of a failure',
      'HTTP/1.1 500 Oh\r\nRetry-After: 120\r\ncontent-length: 4\r\n\r\nfail',
      { status: 500, retryAfter: '120', text: 'fail' },
    ],
    ['of another success', 'HTTP/1.1 299 Fine\r\n\r\nyes', { status: 299, text: 'yes' }],
    ['after hints', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`, { status: 204 }],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', { status: 200, text: 'abcde' }],
    ['that is cut off in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', { status: 200, text: 'half' }],
    ['that is cut off in a chunk', 'HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf', { status: 503, text: 'half' }],
    ['with two times to wait', 'HTTP/1.1 429 No\r\nRetry-After: 1\r\nRetry-After: 2\r\n\r\n', { status: 429, retryAfter: '1' }],
  ])('%s is taken', async (_, text, expected) => {
    const { url } = await receiver(answering(text));

    expect(await send(url())).toMatchObject({ kind: 'answered', ...expected });
  });

  it('whose body takes too long is its status, with what there was of it', async () => {
    const { url, connections } = await receiver((socket) => void socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\nslow'));

    expect(await send(url(), { limitMs: 600 })).toEqual({ kind: 'answered', status: 202, retryAfter: undefined, text: 'slow' });
    await eventually(() => expect(connections[0]!.destroyed).toBe(true));
  });

  it('without an end is dropped once its first kilobyte is there', async () => {
    const flood = (socket: Socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write('x'.repeat(60_000)));
      };
      socket.on('drain', more);
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      more();
    };
    const { url, connections } = await receiver(flood);

    const answer = await send(url());

    expect(answer).toEqual({ kind: 'answered', status: 200, retryAfter: undefined, text: 'x'.repeat(1_024) });
    await eventually(() => expect(connections[0]!.destroyed).toBe(true));
  });
});

describe('no answer', () => {
  it.each<[string, ((socket: Socket) => void) | null]>([
    ['that says nothing', () => {}],
    ['that does not read', null],
    ['that stops within its headers', (socket) => socket.write('HTTP/1.1 200 OK\r\nx-slow: ')],
    ['that only hints', (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n')],
  ])('is a receiver %s until the limit', async (_, answer) => {
    const { url, connections } = await receiver(answer);

    expect(await send(url(), SHORT)).toEqual(unanswered(/^no answer within 0\.2 s$/));
    if (answer !== null) await eventually(() => expect(connections[0]!.destroyed).toBe(true));
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['is one that closes', (socket) => socket.end(), /socket hang up/],
    ['is one that closes within its headers', answering('HTTP/1.1 200 OK\r\nx-half: '), /socket hang up|Parse Error/],
    ['is one that resets', (socket) => socket.resetAndDestroy(), /ECONNRESET|socket hang up/],
    ['is another protocol', answering('SSH-2.0-OpenSSH_9.2\r\n'), /Parse Error/],
    ['is nonsense', answering('\0\x01\x02'.repeat(500)), /Parse Error/],
    ['is a huge header', answering(`HTTP/1.1 200 OK\r\nx-huge: ${'x'.repeat(20_000)}\r\n\r\n`), /Header overflow/],
    ['is many headers', answering(`HTTP/1.1 200 OK\r\n${'x-more: 1\r\n'.repeat(3_000)}\r\n`), /Header overflow/],
    ['is another length than it says', answering('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'), /Parse Error/],
    [
      'is a switch of protocols',
      (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
      /^it closed the connection without an answer$/,
    ],
  ])('%s', async (_, answer, why) => {
    const { url, connections } = await receiver(answer);

    expect(await send(url())).toEqual(unanswered(why));
    await eventually(() => expect(connections[0]!.destroyed).toBe(true));
  });

  it('comes at the limit, though memory is cleaned up meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const { url, connections } = await receiver(() => {});
    const answer = send(url(), { limitMs: 300 });

    await eventually(() => expect(connections).toHaveLength(1));
    collectGarbage();

    expect(await answer).toEqual(unanswered(/^no answer within 0\.3 s$/));
  });

  it('is nobody who listens', async () => {
    const { url, port } = await receiver(null);
    const free = port === 65_535 ? 1 : port + 1;
    const nobody = new URL(url());
    nobody.port = String(free);

    expect(await send(nobody)).toEqual(unanswered(/ECONNREFUSED/));
  });

  it('is a name without an address, and a look-up that never ends', async () => {
    const missing = Object.assign(new Error('queryA ENOTFOUND bank.example'), { code: 'ENOTFOUND', syscall: 'queryA' });

    expect(await send(new URL('http://bank.example/'), { lookup: (_, __, callback) => callback(missing, []) })).toEqual(
      unanswered(/^bank\.example leads to no public address$/),
    );
    expect(await send(new URL('http://bank.example/'), { lookup: () => {}, ...SHORT })).toEqual(unanswered(/^no answer within 0\.2 s$/));
    expect(await send(new URL('http://bank.example/'), { lookup: (_, __, callback) => callback(null, []) })).toEqual(
      unanswered(/^bank\.example leads to no public address$/),
    );
  });

  it('is waited for when we end', async () => {
    const { url, connections } = await receiver(() => {});
    const stop = new AbortController();
    const answer = send(url(), { signal: stop.signal });
    await eventually(() => expect(connections).toHaveLength(1));

    stop.abort();

    expect(await answer).toEqual(unanswered(/aborted/));
    await eventually(() => expect(connections[0]!.destroyed).toBe(true));
    expect(await send(url(), { signal: stop.signal })).toEqual(unanswered(/aborted/));
  });
});

/** A certificate for 127.0.0.1 that nobody vouches for, and its key. */
async function selfSigned(): Promise<{ cert: string; key: string }> {
  const dir = await tempDir();
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...name, '-days', '2', '-keyout', key, '-out', cert]);
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

/** A server of Node's, and how many requests it understood. */
async function serving(make: (onRequest: RequestListener) => Server): Promise<{ port: number; requests: () => number }> {
  let requests = 0;
  const server = make((_, response) => {
    requests++;
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

describe('a receiver over TLS', () => {
  it('that nobody vouches for gets nothing', async () => {
    const identity = await selfSigned();
    const { port, requests } = await serving((onRequest) => createTlsServer(identity, onRequest));

    expect(await send(new URL(`https://127.0.0.1:${port}/`))).toEqual(unanswered(/^self-signed certificate$/));
    expect(requests()).toBe(0);
  });

  it('that speaks no TLS gets nothing', async () => {
    const { port, requests } = await serving(createServer);

    expect(await send(new URL(`https://127.0.0.1:${port}/`))).toEqual(unanswered(/wrong version number|packet length/));
    expect(requests()).toBe(0);
  });
});
