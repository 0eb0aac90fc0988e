import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Draft } from '../../collector/store/draft.ts';
import type { Point } from '../../collector/store/point.ts';
import type { TelemetryStore } from '../../collector/store/port.ts';
import { write } from '../helpers/store.ts';

/** A point as it was read back: its tags and fields, which never share a name, and nanoseconds since the epoch. */
export interface ReadPoint {
  values: Record<string, number | string | boolean>;
  time: bigint;
}

export interface StoreUnderTest {
  store: TelemetryStore;
  /** All points of a measurement, in any order; it has been written to before. */
  read(measurement: string): Promise<ReadPoint[]>;
  close(): Promise<void>;
}

const AT = 1_763_798_400_000;
const SEED = 20_251_122;

const asRead = ({ tags, fields, at, nanos = 0 }: Point): ReadPoint => ({
  values: { ...tags, ...fields },
  time: BigInt(at) * 1_000_000n + BigInt(nanos),
});
const byTime = (points: ReadPoint[]) => points.toSorted((a, b) => Number(a.time - b.time));

/** Text that a store must give back as it was: anything that UTF-8 can say. */
const anyText = fc.string({ unit: 'binary', maxLength: 40 });
/** Text that meets line protocol's and SQL's own signs. */
const hostileText = fc.string({
  unit: fc.constantFrom('\\', '"', "'", ',', ' ', '=', '#', ';', '-', '\n', '\r', '\t', '\0', 'é', '日', '😀', 'a'),
  maxLength: 12,
});
/**
 * A store may replace control characters in tags and names, a tag's backslash before a comma, an equals sign, a space or its end, and
 * backslashes and quotes in the name of a measurement or field.
 */
const tagText = fc.oneof(anyText, hostileText).filter((text) => !/\p{Cc}|\\(?=[,= ]|$)/u.test(text));
const tagName = tagText.filter((text) => text !== '' && !['time', '_field', '_measurement', 'at', 'nanos'].includes(text.toLowerCase()));
const plainName = tagName.filter((text) => !/[\\"]/.test(text));
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
  fc.boolean(),
  anyText,
  hostileText,
);

/** What every telemetry store does. `open` gives a store of its own, empty. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the telemetry store ${name}`, () => {
    let under: StoreUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under?.close());

    it('says that it can be written to', async () => {
      await under.store.check();
    });

    it('gives points back exactly: floats, booleans, texts in any script', async () => {
      const points: Point[] = [
        {
          measurement: 'exact',
          tags: { sn: 'SN000001', site: '东方 "店", №=1' },
          fields: { rsrp: -101.25, tiny: 5e-324, huge: -1.7976931348623157e308 },
          at: AT,
        },
        {
          measurement: 'exact',
          tags: { sn: 'SN000002' },
          fields: { rsrp: 1, mains: false, rat: 'lte', note: 'a "b" \\ c\nd, e=f ' },
          at: AT + 1,
        },
        { measurement: 'exact', tags: { sn: 'SN000003' }, fields: { mains: true, rat: '', note: '断电 😀' }, at: AT + 2, nanos: 999_999 },
        { measurement: 'exact', tags: { sn: 'SN000004' }, fields: { rsrp: 1 / 3, big: 2 ** 53 + 2 }, at: -1, nanos: 1 },
      ];

      await write(under.store, points, { a: '1' });

      expect(byTime(await under.read('exact'))).toEqual(byTime(points.map(asRead)));
    });

    it('leaves an empty tag out', async () => {
      await write(under.store, [{ measurement: 'empty', tags: { sn: 'SN000001', site: '' }, fields: { n: 1 }, at: AT }], {});

      expect(await under.read('empty')).toEqual([{ values: { sn: 'SN000001', n: 1 }, time: BigInt(AT) * 1_000_000n }]);
    });

    it('keeps points of one millisecond apart by their nanos', async () => {
      const points = [0, 1, 2, 999_999].map((nanos) => ({
        measurement: 'apart',
        tags: { sn: 'SN000001' },
        fields: { n: nanos },
        at: AT,
        nanos,
      }));

      await write(under.store, points, {});

      expect(byTime(await under.read('apart'))).toEqual(points.map(asRead));
    });

    it('writes 20 000 points at once', async () => {
      const points = Array.from({ length: 20_000 }, (_, i) => ({
        measurement: 'many',
        tags: { sn: `SN${i % 100}` },
        fields: { n: i },
        at: AT + i,
      }));

      await write(under.store, points, {});

      const read = byTime(await under.read('many'));
      expect(read).toHaveLength(20_000);
      expect(read.map((point) => point.values.n)).toEqual(points.map((point) => point.fields.n));
    });

    it('takes fields that come later, and points without the earlier ones', async () => {
      const points: Point[] = [
        { measurement: 'grows', tags: {}, fields: { a: 1 }, at: AT },
        { measurement: 'grows', tags: { sn: 'SN000001' }, fields: { b: 'x' }, at: AT + 1 },
        { measurement: 'grows', tags: {}, fields: { a: 2, c: true }, at: AT + 2 },
      ];

      for (const point of points) await write(under.store, [point], {});

      expect(byTime(await under.read('grows'))).toEqual(points.map(asRead));
    });

    it('gives any text in tags, fields and names back as it was', async () => {
      const distinct = (names: string[]) => new Set(names.map((n) => n.toLowerCase())).size === names.length;
      const point = fc
        .record({
          tags: fc.dictionary(tagName, tagText, { maxKeys: 3 }),
          fields: fc.dictionary(plainName, value, { minKeys: 1, maxKeys: 3 }),
        })
        .filter(({ tags, fields }) => distinct([...Object.keys(tags), ...Object.keys(fields)]));
      let round = 0;

      await fc.assert(
        fc.asyncProperty(point, plainName, async ({ tags, fields }, suffix) => {
          const measurement = `hostile ${++round}${suffix}`;
          await write(under.store, [{ measurement, tags, fields, at: AT }], {});

          const set = Object.fromEntries(Object.entries(tags).filter(([, text]) => text !== ''));
          expect(await under.read(measurement)).toEqual([{ values: { ...set, ...fields }, time: BigInt(AT) * 1_000_000n }]);
        }),
        { seed: SEED, numRuns: 150 },
      );
    });

    describe('the history of a terminal', () => {
      const HOUR_MS = 3_600_000;
      const MINUTE_MS = 60_000;
      const DAY = Math.floor(AT / HOUR_MS) * HOUR_MS;
      const NOW = DAY + 3 * HOUR_MS;
      const ofOne = (measurement: string, at: number, fields: Point['fields'], tags: Point['tags'] = {}): Point => ({
        measurement,
        tags: { acquirer: 'acme', sn: 'SN000001', app: '1', ...tags },
        fields,
        at,
      });
      const ask = (metric: string, from: number, to: number, everyMs: number, sn = 'SN000001') =>
        under.store.history({ acquirer: 'acme', sn, metric, from, to, everyMs }, NOW);
      const sample = (at: number, rsrp: number, more: Point['fields'] = {}, tags: Point['tags'] = {}) =>
        ofOne('terminal', at, { signal_rsrp: rsrp, ...more }, tags);

      beforeAll(() =>
        write(under.store, [
          sample(DAY + MINUTE_MS, -80),
          ofOne('terminal_5m', DAY + MINUTE_MS, {
            n: 3,
            signal_rsrp_min: -110,
            signal_rsrp_mean: -100,
            signal_rsrp_max: -90,
            link_reconnects_sum: 2,
          }),
          ofOne('terminal_5m', DAY + 2 * MINUTE_MS, {
            n: 1,
            signal_rsrp_min: -60,
            signal_rsrp_mean: -60,
            signal_rsrp_max: -60,
            sim_usedBytes_last: 7,
          }),
          ofOne('terminal_5m', DAY + 70 * MINUTE_MS, {
            n: 1,
            signal_rsrp_min: -70,
            signal_rsrp_mean: -70,
            signal_rsrp_max: -70,
            link_reconnects_sum: 1,
          }),
          ofOne('terminal_5m', DAY + 75 * MINUTE_MS, { n: 9, link_reconnects_sum: 0 }),
          sample(DAY + 121 * MINUTE_MS, -70, { radio_reads: 5, signal_rat: 'lte', sim_usedBytes: 11, link_reconnects: 1 }),
          sample(DAY + 122 * MINUTE_MS, -90, { sim_usedBytes: 12, link_reconnects: 3 }, { app: '2' }),
          sample(DAY + 190 * MINUTE_MS, -75),
          sample(DAY + MINUTE_MS, -1, {}, { sn: 'SN000002' }),
          sample(DAY + MINUTE_MS, -2, {}, { acquirer: 'other' }),
        ]),
      );

      it('is made of roll-ups where their windows are closed, weighed by how many samples they stand for, and of samples after', async () => {
        expect(await ask('signal_rsrp', DAY, NOW + HOUR_MS, HOUR_MS)).toEqual([
          { at: DAY, min: -110, mean: -90, max: -60 },
          { at: DAY + HOUR_MS, min: -70, mean: -70, max: -70 },
          { at: DAY + 2 * HOUR_MS, min: -90, mean: -80, max: -70 },
          { at: DAY + 3 * HOUR_MS, min: -75, mean: -75, max: -75 },
        ]);
      });

      it('has the last of a state and the sum of a count, under whatever tags they came', async () => {
        expect(await ask('sim_usedBytes', DAY, NOW, HOUR_MS)).toEqual([
          { at: DAY, last: 7 },
          { at: DAY + 2 * HOUR_MS, last: 12 },
        ]);
        expect(await ask('link_reconnects', DAY, NOW, HOUR_MS)).toEqual([
          { at: DAY, sum: 2 },
          { at: DAY + HOUR_MS, sum: 1 },
          { at: DAY + 2 * HOUR_MS, sum: 4 },
        ]);
      });

      it('is made of samples alone where they are asked for by the minute, or are not rolled up', async () => {
        expect(await ask('signal_rsrp', DAY, DAY + HOUR_MS, MINUTE_MS)).toEqual([{ at: DAY + MINUTE_MS, min: -80, mean: -80, max: -80 }]);
        expect(await ask('radio_reads', DAY, NOW, HOUR_MS)).toEqual([{ at: DAY + 2 * HOUR_MS, min: 5, mean: 5, max: 5 }]);
      });

      it('of what there is not is empty', async () => {
        expect(await ask('signal_sinr', DAY, NOW, HOUR_MS)).toEqual([]);
        expect(await ask('no_such_thing', DAY, NOW, HOUR_MS)).toEqual([]);
        expect(await ask('signal_rsrp', DAY, NOW, HOUR_MS, 'SN999999')).toEqual([]);
      });
    });

    it.each<[string, Partial<Point>, RegExp]>([
      ['no fields', { fields: {} }, /no fields/],
      ['a field that is not a number', { fields: { n: Number.NaN } }, /field n is NaN/],
      ['an endless field', { fields: { n: Number.NEGATIVE_INFINITY } }, /field n is -Infinity/],
      ['a time that is no whole millisecond', { at: 1.5 }, /time 1.5/],
      ['a time beyond 2262', { at: 1e14 }, /time 100000000000000/],
      ['nanos of a whole millisecond', { nanos: 1_000_000 }, /nanos 1000000/],
      ['no measurement', { measurement: '' }, /measurement has no name/],
      ['a nameless field', { fields: { '': 1 } }, /field has no name/],
      ['a reserved field', { fields: { time: 1 } }, /reserved name time/],
      ['a reserved tag', { tags: { _field: 'x' } }, /reserved name _field/],
      ['one name for a tag and a field', { tags: { n: 'x' } }, /share the name n/],
    ])('refuses a point with %s at once and says why, and takes its neighbours', async (_, wrong, why) => {
      const measurement = `beside ${why.source}`.replace(/[\\/]/g, '');
      const good: Point = { measurement, tags: { sn: 'SN000001' }, fields: { n: 1 }, at: AT };
      const draft = new Draft();
      const batch = under.store.batch();

      const taken = [good, { ...good, ...wrong }, { ...good, at: AT + 1 }].map((point) => batch.add(draft.of(point)));
      await batch.write({}, async () => {});

      expect(taken).toEqual([null, expect.stringMatching(why), null]);
      expect(batch.size).toBe(2);
      expect(byTime(await under.read(measurement))).toEqual([good, { ...good, at: AT + 1 }].map(asRead));
    });

    it('keeps nothing of a draft, which the next point is made of', async () => {
      const batch = under.store.batch();
      const draft = new Draft();
      const tags = { sn: 'SN000001' };

      for (let n = 0; n < 3; n++) {
        draft.begin('drafted', tags, AT + n);
        draft.field(`f${n}`, n);
        batch.add(draft);
      }
      await batch.write({}, async () => {});

      expect(byTime(await under.read('drafted')).map(({ values }) => values)).toEqual([
        { sn: 'SN000001', f0: 0 },
        { sn: 'SN000001', f1: 1 },
        { sn: 'SN000001', f2: 2 },
      ]);
    });

    it('takes a batch while another is written, whose fields differ', async () => {
      const point = (n: number, fields: Point['fields']): Point => ({ measurement: 'side by side', tags: {}, fields, at: AT + n });
      const draft = new Draft();
      const [one, two] = [under.store.batch(), under.store.batch()];
      one.add(draft.of(point(1, { a: 1 })));

      const writing = one.write({}, async () => {});
      two.add(draft.of(point(2, { b: 'x' })));
      two.add(draft.of(point(3, { a: 3, b: 'y' })));
      await writing;
      await two.write({}, async () => {});

      expect(byTime(await under.read('side by side')).map(({ values }) => values)).toEqual([{ a: 1 }, { b: 'x' }, { a: 3, b: 'y' }]);
    });
  });
}
