/** InfluxDB's answers that a real one cannot be made to give when a test wants them: from a server that answers as it is told. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { openInfluxStore } from '../../../collector/store/influx.ts';
import type { Point } from '../../../collector/store/point.ts';
import { FOR_EVER, write } from '../../helpers/store.ts';

const AT = 1_763_798_400_000;
const point = (n: number): Point => ({ measurement: 'terminal', tags: { sn: 'SN000001' }, fields: { n }, at: AT + n });
const points = (count: number) => Array.from({ length: count }, (_, i) => point(i));

interface Asked {
  url: string;
  lines: string[];
  encoding: string | undefined;
}

let server: Server | undefined;
/** The writes of lines so far. */
const asked: Asked[] = [];
const said: string[] = [];

const BUCKETS = '{"buckets":[{"id":"b1","retentionRules":[]}]}';

/** Looks for buckets find what `buckets` says, and empty writes go well; writes of lines are the listener's. */
async function answering(
  listener: RequestListener,
  { buckets = () => BUCKETS, ...limits }: { timeoutMs?: number; buckets?: () => string } = {},
) {
  asked.length = 0;
  said.length = 0;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'GET') return response.end(buckets());
      const encoding = request.headers['content-encoding'];
      const body = Buffer.concat(chunks);
      const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
      if (text === '') return response.writeHead(204).end();
      asked.push({ url: request.url!, lines: text.trimEnd().split('\n'), encoding });
      return listener(request, response);
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = { url, token: 'secret-token', org: 'o & o', bucket: 'b' };
  return openInfluxStore({ ...access, kept: FOR_EVER, say: (line) => void said.push(line) }, { ...limits, now: () => AT });
}
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

describe('the InfluxDB store', () => {
  it.each([
    [429, '7', 7000],
    [503, '120', 120_000],
    [503, new Date(AT + 30_000).toUTCString(), 30_000],
    [429, new Date(AT - 30_000).toUTCString(), 0],
    [500, 'soon', 0],
    [502, undefined, 0],
  ])('takes %i with Retry-After %s for unavailable for %i ms', async (status, retryAfter, retryAfterMs) => {
    const store = await answering((_, response) => {
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{"message":"busy"}');
    });

    await expect(write(store, [point(1)])).rejects.toMatchObject({ code: 'unavailable', retry: true, retryAfterMs });
  });

  it.each([200, 202, 301])('does not take %i for a write', async (status) => {
    const store = await answering((_, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('hello');
    });

    await expect(write(store, [point(1)])).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each([
    [401, 'unauthorized access', /401: unauthorized access/],
    [403, 'forbidden', /403: forbidden/],
    [404, 'bucket "b" not found', /404: bucket "b" not found: create it/],
  ])('takes %i for something to be put right by a person, and says what', async (status, message, why) => {
    const store = await answering((_, response) => {
      response.writeHead(status).end(JSON.stringify({ code: 'x', message }));
    });

    await expect(write(store, [point(1)])).rejects.toMatchObject({
      code: 'unauthorized',
      retry: true,
      message: expect.stringMatching(why),
    });
  });

  it.each(['<p>We will be back soon</p>', 'null', ''])('takes %j in place of its buckets for a server that is away', async (page) => {
    let buckets = page;
    const store = await answering((_, response) => void response.writeHead(204).end(), { buckets: () => buckets });

    await expect(write(store, [point(1)])).rejects.toMatchObject({ code: 'unavailable', retry: true });

    buckets = BUCKETS;
    await write(store, [point(1)]);
    expect(asked).toHaveLength(1);
  });

  it('gives up on a server that never answers', async () => {
    const store = await answering(() => {}, { timeoutMs: 200 });

    await expect(write(store, [point(1)])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no answer within 200 ms'),
    });
  });

  it('gives up on an answer that begins and never ends', async () => {
    const store = await answering(
      (_, response) => {
        response.writeHead(503, { 'content-length': 100 }).write('{"mess');
      },
      { timeoutMs: 200 },
    );

    await expect(write(store, [point(1)])).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });

  it.each<[string, RequestListener]>([
    ['a connection that is reset', (request) => request.socket.destroy()],
    [
      'half an answer',
      (request, response) => {
        response.writeHead(503, { 'content-length': 100 }).write('{"mess', () => request.socket.destroy());
      },
    ],
    ['an endless answer', (_, response) => void response.writeHead(500).end(Buffer.alloc(9 << 20))],
  ])('takes %s for unavailable', async (_, listener) => {
    const store = await answering(listener);

    await expect(write(store, [point(1)])).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });

  it('goes on by itself after a connection that was kept alive is gone', async () => {
    const store = await answering((_, response) => void response.writeHead(204).end());
    await write(store, [point(1)]);
    server!.closeAllConnections();

    // What was sent into the gap is written again by whoever waits for it.
    await write(store, [point(2)]).catch(() => write(store, [point(2)]));

    expect(asked.at(-1)!.lines).toEqual([`terminal,sn=SN000001 n=2 ${AT + 2}000000`]);
  });

  it('ends a write under way when it is closed', async () => {
    const store = await answering(() => void store.close());

    await expect(write(store, [point(1)])).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('sends 12 001 points as three compressed requests in order, and none after one that failed', async () => {
    const store = await answering((_, response) => {
      response.writeHead(asked.length === 2 ? 503 : 204).end();
    });

    await expect(write(store, points(12_001))).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked.map(({ lines }) => lines.length)).toEqual([5000, 5000]);
    await write(store, points(12_001));

    const sent = asked.slice(2);
    expect(sent.map(({ lines, encoding }) => [lines.length, encoding])).toEqual([
      [5000, 'gzip'],
      [5000, 'gzip'],
      [2001, 'gzip'],
    ]);
    expect(sent.flatMap(({ lines }) => lines)[12_000]).toBe(`terminal,sn=SN000001 n=12000 ${AT + 12_000}000000`);
    expect(sent[0]!.url).toBe('/api/v2/write?org=o+%26+o&bucket=b&precision=ns');
    expect(store.sentBytes).toBeGreaterThan(0);
  });

  it.each([
    [400, '{"code":"invalid","line":8,"message":"failed to parse line protocol: errors encountered on line(s): line 8: bad"}'],
    [400, '{"code":"invalid","message":"unable to parse \'terminal\': missing fields"}'],
    [413, '<html>413 Request Entity Too Large</html>'],
    [422, '{"code":"unprocessable entity","message":"failure writing points to database: out of bounds"}'],
  ])('finds the one point for which a batch is answered %i, and writes the others', async (status, answer) => {
    const written = new Set<string>();
    const store = await answering((_, response) => {
      const { lines } = asked.at(-1)!;
      const isBad = lines.some((line) => line.includes(' n=777 '));
      for (const line of isBad ? [] : lines) written.add(line);
      response.writeHead(isBad ? status : 204).end(isBad ? answer : undefined);
    });
    const refused: [Point, string][] = [];

    await write(store, points(1_000), {}, async (bad, detail) => {
      refused.push(...bad.map((one): [Point, string] => [one, detail]));
    });

    expect(refused).toEqual([[point(777), expect.stringContaining(`InfluxDB answered ${status}: `)]]);
    expect(written.size).toBe(999);
  });

  it('never shows the token', async () => {
    const store = await answering((_, response) => response.writeHead(401).end('no'));

    const error = (await write(store, [point(1)]).catch((e: unknown) => e)) as Error;

    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain('secret-token');
  });

  it.each(['', 'two\nlines', 'é'])('refuses the token %j, which no header can carry', (token) => {
    expect(() => openInfluxStore({ url: 'http://127.0.0.1:1', token, org: 'o', bucket: 'b', kept: FOR_EVER, say: () => {} })).toThrow(
      /the token is empty, or has a character/,
    );
  });

  it.each(['', 'influx:8086', 'ftp://influx'])('refuses the address %j', (url) => {
    expect(() => openInfluxStore({ url, token: 't', org: 'o', bucket: 'b', kept: FOR_EVER, say: () => {} })).toThrow(
      /is no http or https address/,
    );
  });
});
