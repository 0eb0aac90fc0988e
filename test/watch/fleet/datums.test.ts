import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Datum } from '../../../protocol/schemas/common.ts';
import { distanceMeters, fromWgs84, type Point, toWgs84 } from '../../../watch/fleet/datums.ts';
import { SEED } from '../support/log.ts';

const DATUMS: Datum[] = ['wgs84', 'gcj02', 'bd09'];

/** The test points of googollee/eviltransform (transform_test.go), in WGS-84 and GCJ-02: latitude, longitude. */
const EVILTRANSFORM = [
  { name: 'Shanghai', wgs84: [31.1774276, 121.5272106], gcj02: [31.17530398364597, 121.531541859215] },
  { name: 'Shenzhen', wgs84: [22.543847, 113.912316], gcj02: [22.540796131694766, 113.9171764808363] },
  { name: 'Beijing', wgs84: [39.911954, 116.377817], gcj02: [39.91334545536069, 116.38404722455657] },
];

/** The cities of hujiulong/gcoord (test/fixtures/china-cities.json) that lie in the corners and the middle of the country. */
const GCOORD = [
  { name: 'Nagqu', wgs84: [31.4784436, 92.0499619], gcj02: [31.4762063, 92.0512438], bd09: [31.4824421, 92.0576832] },
  { name: 'Shenyang', wgs84: [41.8032629, 123.4253306], gcj02: [41.8057023, 123.4314787], bd09: [41.8114013, 123.438095] },
  { name: 'Qinzhou', wgs84: [21.9828281, 108.6503952], gcj02: [21.9799392, 108.6541485], bd09: [21.9856319, 108.6607283] },
  { name: 'Zhengzhou', wgs84: [34.7478004, 113.6192856], gcj02: [34.7466173, 113.6253334], bd09: [34.7528605, 113.6317519] },
  { name: 'Xilinhot', wgs84: [43.9312805, 116.0414035], gcj02: [43.9334573, 116.0482308], bd09: [43.9397782, 116.0546232] },
];

const point = ([lat, lon]: readonly number[]): Point => ({ lat: lat!, lon: lon! });
/** How far a point in a datum is from one in WGS-84, by our reckoning. */
const off = (known: readonly number[], datum: Datum, wgs84: readonly number[]): number =>
  distanceMeters(toWgs84({ ...point(known), datum }), point(wgs84));

const inChina = fc.record({ lat: fc.double({ min: 18, max: 53.5, noNaN: true }), lon: fc.double({ min: 73.6, max: 135, noNaN: true }) });

describe('a point in another datum', () => {
  it.each(EVILTRANSFORM)('of $name is where it is known to be', ({ wgs84, gcj02 }) => {
    expect(distanceMeters(fromWgs84(point(wgs84), 'gcj02'), point(gcj02))).toBeLessThan(0.01);
    expect(off(gcj02, 'gcj02', wgs84)).toBeLessThan(0.01);
  });

  // Their BD-09 is ours to the millimetre; their WGS-84 stops 0.7 m short of the point that leads to their GCJ-02.
  it.each(GCOORD)('of $name is where others convert it to', ({ wgs84, gcj02, bd09 }) => {
    expect(distanceMeters(fromWgs84(toWgs84({ ...point(gcj02), datum: 'gcj02' }), 'bd09'), point(bd09))).toBeLessThan(0.01);
    expect(off(gcj02, 'gcj02', wgs84)).toBeLessThan(1);
    expect(off(bd09, 'bd09', wgs84)).toBeLessThan(1);
  });

  it('comes back from there and back to less than a metre, anywhere in China', () => {
    fc.assert(
      fc.property(inChina, fc.constantFrom(...DATUMS), (there, datum) => {
        const back = toWgs84({ ...fromWgs84(there, datum), datum });

        expect(distanceMeters(back, there)).toBeLessThan(0.01);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('is some hundred metres from the same numbers in WGS-84', () => {
    fc.assert(
      fc.property(inChina, fc.constantFrom<Datum>('gcj02', 'bd09'), (there, datum) => {
        const shift = distanceMeters(fromWgs84(there, datum), there);

        expect(shift).toBeGreaterThan(30);
        expect(shift).toBeLessThan(2_000);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('is the same point outside China, in all of them', () => {
    const outside = fc
      .record({ lat: fc.double({ min: -90, max: 90, noNaN: true }), lon: fc.double({ min: -180, max: 180, noNaN: true }) })
      .filter(({ lat, lon }) => lat < 0.8 || lat > 55.9 || lon < 72 || lon > 137.9);
    fc.assert(
      fc.property(outside, fc.constantFrom(...DATUMS), (there, datum) => {
        expect(toWgs84({ ...there, datum })).toEqual(there);
        expect(fromWgs84(there, datum)).toEqual(there);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('is taken for WGS-84 where it names none', () => {
    expect(toWgs84({ lat: 31.23, lon: 121.47 })).toEqual({ lat: 31.23, lon: 121.47 });
  });
});

describe('the distance', () => {
  it('from pole to pole is half the way around', () => {
    expect(distanceMeters({ lat: 90, lon: 0 }, { lat: -90, lon: 57 })).toBeCloseTo(20_015_115, -1);
  });

  it('of a degree of longitude is the cosine of the latitude of one at the equator, on either side of the date line', () => {
    const equator = distanceMeters({ lat: 0, lon: 179.5 }, { lat: 0, lon: -179.5 });

    expect(equator).toBeCloseTo(111_195, -1);
    expect(distanceMeters({ lat: 60, lon: 10 }, { lat: 60, lon: 11 })).toBeCloseTo(equator / 2, -2);
  });

  it('from Nashville to Los Angeles is what Rosetta Code has for the haversine formula, with its radius of 6372.8 km', () => {
    const meters = distanceMeters({ lat: 36.12, lon: -86.67 }, { lat: 33.94, lon: -118.4 });

    expect((meters * 6_372.8) / 6_371.0088).toBeCloseTo(2_887_259.95, 1);
  });
});
