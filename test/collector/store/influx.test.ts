import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openInfluxStore } from '../../../collector/store/influx.ts';
import type { InfluxAccess } from '../../../collector/store/influx-http.ts';
import type { Point } from '../../../collector/store/point.ts';
import type { Kept } from '../../../collector/store/port.ts';
import { type ReadPoint, storeContract } from '../../contract/store.contract.ts';
import { type Influx, startInflux } from '../../helpers/influx.ts';
import { lacks } from '../../helpers/servers.ts';
import { FOR_EVER, write } from '../../helpers/store.ts';

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

const open = (access: InfluxAccess, kept: Kept = FOR_EVER, say: (line: string) => void = () => {}) =>
  openInfluxStore({ ...access, kept, say });

const without = lacks('influxd');

describe.skipIf(without)('on a real InfluxDB', () => {
  storeContract('InfluxDB', async () => {
    const influx = await startInflux();
    const store = open(influx);
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
      expect(await open(influx).marks()).toBeNull();
    });

    it('keeps one point of an identity written twice', async () => {
      const store = open(influx);
      const twice: Point = { measurement: 'twice', tags: { sn: 'SN000001' }, fields: { n: 1, rat: 'lte' }, at: AT };

      await write(store, [twice, twice], {});
      await write(store, [twice], {});

      expect(await read(influx, 'twice')).toHaveLength(1);
    });

    it('tells tags from fields', async () => {
      await write(open(influx), [{ measurement: 'kinds', tags: { sn: 'SN000001' }, fields: { rat: 'lte' }, at: AT }], {});

      expect(await influx.points('kinds')).toEqual([expect.objectContaining({ tags: { sn: 'SN000001' }, fields: { rat: 'lte' } })]);
    });

    it('replaces in tags and names what line protocol cannot say, and keeps the line whole', async () => {
      const tags = { sn: 'ends in \\', 'key\\': 'two\nlines', site: 'tab\there' };

      await write(open(influx), [{ measurement: '#mea\nsure\\', tags, fields: { 'field\\': 1, n: 2 }, at: AT }], {});

      expect(await influx.points('\uFFFDmea\uFFFDsure\uFFFD')).toEqual([
        expect.objectContaining({
          tags: { sn: 'ends in \uFFFD', 'key\uFFFD': 'two\uFFFDlines', site: 'tab\uFFFDhere' },
          fields: { 'field\uFFFD': 1, n: 2 },
        }),
      ]);
    });

    it('lets no text of a point disturb its neighbours', async () => {
      const store = open(influx);
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
          await write(store, [sentinel(round - 1), { ...between, at: AT }, sentinel(round)], {});
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
        const store = open({ ...influx, ...wrong });

        await expect(store.check()).rejects.toMatchObject({ code: 'unauthorized', retry: true, message: expect.stringMatching(why) });
        await expect(write(store, [point(1)], {})).rejects.toMatchObject({ code: 'unauthorized', retry: true });
      }
    });

    it('is unavailable while the server is down, and writes again after', async () => {
      const store = open(influx);
      await write(store, [{ ...point(1), measurement: 'down' }], {});
      await influx.end('SIGKILL');

      await expect(write(store, [{ ...point(2), measurement: 'down' }], {})).rejects.toMatchObject({ code: 'unavailable', retry: true });
      await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });

      await influx.restart();
      await write(store, [{ ...point(2), measurement: 'down' }], {});
      expect(await read(influx, 'down')).toHaveLength(2);
    });

    it('writes all but the points whose type the server refuses, and hands those over one by one', async () => {
      const store = open(influx);
      const conflict = (n: number, fields: Point['fields']): Point => ({ ...point(n, fields), measurement: 'conflict' });
      await write(store, [conflict(0, { n: 0 })], {});
      const batch = Array.from({ length: 100 }, (_, i) => conflict(1 + i, i === 3 || i === 77 ? { n: 'text' } : { n: i }));
      const refused: number[] = [];

      await write(store, batch, {}, async (bad, detail) => {
        expect(detail).toMatch(/422: .*partial write: field type conflict/);
        refused.push(...bad.map(({ at }) => at - AT));
      });

      expect([...new Set(refused)]).toEqual([4, 78]);
      expect(await read(influx, 'conflict')).toHaveLength(99);
    });
  });
});

describe.skipIf(without)('a bucket of short retention', () => {
  it('refuses a batch that is all too old with one write, and of a mixed one each that is too old', async () => {
    const influx = await startInflux();
    onTestFinished(() => influx.stop());
    await influx.makeBucket('short', 1);
    const store = open({ ...influx, bucket: 'short' }, { rawDays: 1, rollupDays: 1 });
    const now = Date.now();
    const at = (i: number, age: number): Point => ({ measurement: 'terminal', tags: {}, fields: { n: i }, at: now - age - i });
    const old = 3 * 86_400_000;
    const refused: Point[] = [];
    const keep = async (points: readonly Point[]) => void refused.push(...points);

    await write(
      store,
      Array.from({ length: 5_000 }, (_, i) => at(i, old)),
      {},
      keep,
    );
    const all = refused.splice(0).length;
    await write(
      store,
      Array.from({ length: 5_000 }, (_, i) => at(i, i === 33 || i === 4_000 ? old : 0)),
      {},
      keep,
    );

    expect(all).toBe(5_000);
    expect(refused).toEqual(expect.arrayContaining([at(33, old), at(4_000, old)]));
    expect(refused).toHaveLength(2);
    expect(await influx.query('from(bucket: "short") |> range(start: -1d) |> count()')).toEqual([
      expect.objectContaining({ _value: 4_998 }),
    ]);
  });
});
