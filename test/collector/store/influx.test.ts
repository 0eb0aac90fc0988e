import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { writeAround } from '../../../collector/store/around.ts';
import { openInfluxStore } from '../../../collector/store/influx.ts';
import { type Marks, type Point, StoreError, type TelemetryStore } from '../../../collector/store/port.ts';
import { type ReadPoint, storeContract } from '../../contract/store.contract.ts';
import { type Influx, startInflux } from '../../helpers/influx.ts';
import { lacks } from '../../helpers/servers.ts';

const AT = 1_763_798_400_000;
const point = (n: number, fields: Point['fields'] = { n }): Point => ({ measurement: 'm', tags: { sn: 'SN000001' }, fields, at: AT + n });

/** RFC 3339 with nine decimals outgrows Date. */
function nanosecondsOf(time: string): bigint {
  const [seconds, fraction = ''] = time.replace('Z', '').split('.') as [string, string?];
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

async function read(influx: Influx, measurement: string): Promise<ReadPoint[]> {
  const points = await influx.points(measurement);
  return points.map(({ tags, fields, time }) => ({ values: { ...tags, ...fields }, time: nanosecondsOf(time) }));
}

const without = lacks('influxd');

describe.skipIf(without)('on a real InfluxDB', () => {
  storeContract('InfluxDB', async () => {
    const influx = await startInflux();
    const store = openInfluxStore(influx);
    return {
      store,
      read: (measurement) => read(influx, measurement),
      async close() {
        await store.close();
        await influx.stop();
      },
    };
  });

  describe('the InfluxDB store', () => {
    let influx: Influx;
    beforeAll(async () => {
      influx = await startInflux();
    });
    afterAll(() => influx?.stop());

    it('has no marks of its own', async () => {
      expect(await openInfluxStore(influx).marks()).toBeNull();
    });

    it('keeps one point of an identity written twice', async () => {
      const store = openInfluxStore(influx);
      const twice: Point = { measurement: 'twice', tags: { sn: 'SN000001' }, fields: { n: 1, rat: 'lte' }, at: AT };

      await store.write([twice, twice], {});
      await store.write([twice], {});

      expect(await read(influx, 'twice')).toHaveLength(1);
    });

    it('tells tags from fields', async () => {
      await openInfluxStore(influx).write([{ measurement: 'kinds', tags: { sn: 'SN000001' }, fields: { rat: 'lte' }, at: AT }], {});

      expect(await influx.points('kinds')).toEqual([expect.objectContaining({ tags: { sn: 'SN000001' }, fields: { rat: 'lte' } })]);
    });

    it('replaces in tags and names what line protocol cannot say, and keeps the line whole', async () => {
      const tags = { sn: 'ends in \\', 'key\\': 'two\nlines', site: 'tab\there' };

      await openInfluxStore(influx).write([{ measurement: '#mea\nsure\\', tags, fields: { 'field\\': 1, n: 2 }, at: AT }], {});

      expect(await influx.points('\uFFFDmea\uFFFDsure\uFFFD')).toEqual([
        expect.objectContaining({
          tags: { sn: 'ends in \uFFFD', 'key\uFFFD': 'two\uFFFDlines', site: 'tab\uFFFDhere' },
          fields: { 'field\uFFFD': 1, n: 2 },
        }),
      ]);
    });

    it('lets no text of a point disturb its neighbours', async () => {
      const store = openInfluxStore(influx);
      const sign = fc.constantFrom('\\', '"', ',', '=', ' ', '\n', '#', 'a');
      const text = fc.oneof(fc.string({ unit: sign, maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 8 }));
      const name = text.map((t) => `x${t}`);
      const hostile = fc.record({
        measurement: name,
        tags: fc.dictionary(name, text, { maxKeys: 2 }),
        fields: fc.dictionary(fc.constantFrom('"f', 'f\\', 'f=', 'f'), text, { minKeys: 1, maxKeys: 2 }),
      });
      let round = 0;

      await fc.assert(
        fc.asyncProperty(hostile, async (between) => {
          const sentinel = (n: number): Point => ({ measurement: 'sentinel', tags: {}, fields: { n }, at: AT + n });
          round += 2;
          await store.write([sentinel(round - 1), { ...between, at: AT }, sentinel(round)], {});
        }),
        { seed: 20_251_122, numRuns: 150 },
      );

      expect((await read(influx, 'sentinel')).map(({ values }) => values.n)).toEqual(Array.from({ length: round }, (_, i) => i + 1));
    });

    it('calls a wrong token, organization and bucket unauthorized, and says which', async () => {
      for (const [wrong, why] of [
        [{ token: 'wrong' }, /401: unauthorized access/],
        [{ org: 'nobody' }, /404: organization name "nobody" not found: create it/],
        [{ bucket: 'leaky' }, /404: bucket "leaky" not found: create it/],
      ] as const) {
        const store = openInfluxStore({ ...influx, ...wrong });

        await expect(store.check()).rejects.toMatchObject({ code: 'unauthorized', retry: true, message: expect.stringMatching(why) });
        await expect(store.write([point(1)], {})).rejects.toMatchObject({ code: 'unauthorized', retry: true });
      }
    });

    it('is unavailable while the server is down, and writes again after', async () => {
      const store = openInfluxStore(influx);
      await store.write([{ ...point(1), measurement: 'down' }], {});
      await influx.kill();

      await expect(store.write([{ ...point(2), measurement: 'down' }], {})).rejects.toMatchObject({ code: 'unavailable', retry: true });
      await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });

      await influx.restart();
      await store.write([{ ...point(2), measurement: 'down' }], {});
      expect(await read(influx, 'down')).toHaveLength(2);
    });

    it('writes all but the points whose type the server refuses, and hands those over one by one', async () => {
      const store = openInfluxStore(influx);
      const conflict = (n: number, fields: Point['fields']): Point => ({ ...point(n, fields), measurement: 'conflict' });
      await store.write([conflict(0, { n: 0 })], {});
      const batch = Array.from({ length: 100 }, (_, i) => conflict(1 + i, i === 3 || i === 77 ? { n: 'text' } : { n: i }));
      const refused: number[] = [];

      await expect(store.write(batch, {})).rejects.toMatchObject({
        code: 'rejected',
        retry: false,
        message: expect.stringMatching(/422: .*partial write: field type conflict/),
      });
      await writeAround(store, batch, {}, (bad, error) => {
        expect(error).toBeInstanceOf(StoreError);
        refused.push(...bad.map(({ at }) => at - AT));
      });

      expect(refused).toEqual([4, 78]);
      expect(await read(influx, 'conflict')).toHaveLength(99);
    });
  });
});

describe.skipIf(without)('a bucket of short retention', () => {
  it('refuses a batch that is all too old with one write, and of a mixed one each that is too old', async () => {
    const influx = await startInflux();
    onTestFinished(() => influx.stop());
    const headers = { authorization: `Token ${influx.token}`, 'content-type': 'application/json' };
    const orgs = await fetch(`${influx.url}/api/v2/orgs`, { headers });
    const {
      orgs: [org],
    } = (await orgs.json()) as { orgs: [{ id: string }] };
    const body = JSON.stringify({ orgID: org.id, name: 'short', retentionRules: [{ type: 'expire', everySeconds: 3600 }] });
    expect((await fetch(`${influx.url}/api/v2/buckets`, { method: 'POST', headers, body })).status).toBe(201);
    const store = openInfluxStore({ ...influx, bucket: 'short' });
    let writes = 0;
    const counted = {
      ...store,
      write(points: readonly Point[], marks: Marks) {
        if (points.length > 0) writes++;
        return store.write(points, marks);
      },
    };
    const now = Date.now();
    const at = (i: number, age: number): Point => ({ measurement: 'm', tags: {}, fields: { n: i }, at: now - age - i });
    const refused: Point[] = [];
    const keep = (points: readonly Point[]) => void refused.push(...points);

    await writeAround(
      counted,
      Array.from({ length: 5_000 }, (_, i) => at(i, 7_200_000)),
      {},
      keep,
    );
    const all = [writes, refused.length];
    refused.length = 0;
    await writeAround(
      counted,
      Array.from({ length: 5_000 }, (_, i) => at(i, i === 33 || i === 4_000 ? 7_200_000 : 0)),
      {},
      keep,
    );

    expect(all).toEqual([1, 5_000]);
    expect(refused.map(({ fields }) => fields.n).sort()).toEqual([33, 4_000]);
    expect(writes).toBeLessThan(80);
  });
});

describe('writing around', () => {
  /** A server that writes the others of a batch, and says how many it left out, as InfluxDB does. */
  function partial(refuses: (point: Point) => boolean, counts = true) {
    const written = new Set<number>();
    let writes = 0;
    const store: TelemetryStore = {
      name: 'influxdb',
      marks: async () => null,
      async write(points) {
        writes++;
        const bad = points.filter(refuses);
        for (const p of points) if (!bad.includes(p)) written.add(p.at - AT);
        if (bad.length > 0) throw new StoreError('rejected', 'partial write', { dropped: counts ? bad.length : 0 });
      },
      check: async () => {},
      close: async () => {},
    };
    return { store, written, writes: () => writes };
  }
  const batch = Array.from({ length: 5_000 }, (_, i) => point(i));

  it.each([
    ['every other one', (p: Point) => p.at % 2 === 0, true],
    ['all, uncounted', () => true, false],
  ])('of %s of 5000 points takes 200 writes or little more, and every point is written or kept', async (_, refuses, counts) => {
    const { store, written, writes } = partial(refuses, counts);
    const kept = new Set<number>();

    await writeAround(store, batch, {}, (bad) => {
      for (const { at } of bad) kept.add(at - AT);
    });

    expect(writes()).toBeLessThanOrEqual(205);
    expect(batch.filter((p) => !written.has(p.at - AT) && !kept.has(p.at - AT))).toEqual([]);
    expect(batch.filter((p) => refuses(p) && !kept.has(p.at - AT))).toEqual([]);
  });

  it('lets others run between its writes', async () => {
    const { store, writes } = partial((p) => p.at % 100 === 0);
    let turns = 0;
    let over = false;
    const turn = () => {
      turns++;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);

    await writeAround(store, batch, {}, () => {});
    over = true;

    expect(turns).toBeGreaterThanOrEqual(writes() - 2);
  });
});

describe('the InfluxDB store towards other answers', () => {
  let server: Server | undefined;
  const requests: { url: string; lines: string[]; encoding: string | undefined }[] = [];

  /** The far side of the network: what it answers is what a proxy or a loaded server answers. */
  async function answering(listener: RequestListener, limits: { timeoutMs?: number } = {}) {
    requests.length = 0;
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const encoding = request.headers['content-encoding'];
        const body = Buffer.concat(chunks);
        requests.push({ url: request.url!, lines: (encoding === 'gzip' ? gunzipSync(body) : body).toString().split('\n'), encoding });
        listener(request, response);
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return openInfluxStore({ url, token: 'secret-token', org: 'o & o', bucket: 'b' }, { ...limits, now: () => AT });
  }
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  it.each([
    [429, '7', 7000],
    [503, '120', 120_000],
    [503, new Date(AT + 30_000).toUTCString(), 30_000],
    [503, new Date(AT - 30_000).toUTCString(), 0],
    [500, 'soon', 0],
    [502, undefined, 0],
  ])('takes %i with Retry-After %s for unavailable for %i ms', async (status, retryAfter, retryAfterMs) => {
    const store = await answering((_, response) => {
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{"message":"busy"}');
    });

    await expect(store.write([point(1)], {})).rejects.toMatchObject({ code: 'unavailable', retry: true, retryAfterMs });
  });

  it.each([200, 202, 301])('does not take %i for a write', async (status) => {
    const store = await answering((_, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('hello');
    });

    await expect(store.write([point(1)], {})).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('gives up on a server that never answers', async () => {
    const store = await answering(() => {}, { timeoutMs: 50 });

    await expect(store.write([point(1)], {})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no answer within 50 ms'),
    });
  });

  it('calls an answer that breaks off unavailable', async () => {
    const store = await answering((request) => request.socket.destroy());

    await expect(store.write([point(1)], {})).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });

  it('ends a write under way when it is closed', async () => {
    const store = await answering(() => void store.close());

    await expect(store.write([point(1)], {})).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('sends 12 001 points as three compressed requests in order, and none after one that failed', async () => {
    const store = await answering((_, response) => {
      response.writeHead(requests.length === 2 ? 503 : 204).end();
    });
    const points = Array.from({ length: 12_001 }, (_, i) => point(i));

    await expect(store.write(points, {})).rejects.toMatchObject({ code: 'unavailable' });
    expect(requests.map(({ lines }) => lines.length)).toEqual([5000, 5000]);
    await store.write(points, {});

    const sent = requests.slice(2);
    expect(sent.map(({ lines, encoding }) => [lines.length, encoding])).toEqual([
      [5000, 'gzip'],
      [5000, 'gzip'],
      [2001, 'gzip'],
    ]);
    expect(sent.flatMap(({ lines }) => lines)[12_000]).toBe(`m,sn=SN000001 n=12000 ${AT + 12_000}000000`);
    expect(sent[0]!.url).toBe('/api/v2/write?org=o+%26+o&bucket=b&precision=ns');
  });

  it('never shows the token', async () => {
    const store = await answering((_, response) => response.writeHead(401).end('no'));

    const error = (await store.check().catch((e: unknown) => e)) as Error;

    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('secret-token');
  });

  it.each(['', 'two\nlines', 'é'])('refuses the token %j, which no header can carry', (token) => {
    expect(() => openInfluxStore({ url: 'http://127.0.0.1:1', token, org: 'o', bucket: 'b' })).toThrow(
      /the token is empty, or has a character/,
    );
  });

  it.each(['', 'influx:8086', 'ftp://influx'])('refuses the address %j', (url) => {
    expect(() => openInfluxStore({ url, token: 't', org: 'o', bucket: 'b' })).toThrow(/is no http or https address/);
  });
});
