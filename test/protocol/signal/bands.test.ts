import { describe, expect, it } from 'vitest';
import { BANDS, bandOf, bandsOf } from '../../../protocol/signal/bands.ts';
import { sharedCsv } from '../shared-data.ts';

const source = sharedCsv('signal-bands.csv');

describe('bandOf', () => {
  it.each([
    ['lte', 'rsrp', -95, 'good'],
    ['lte', 'rsrp', -95.1, 'fair'],
    ['lte', 'rsrp', -105, 'fair'],
    ['lte', 'rsrp', -106, 'weak'],
    ['lte', 'rsrp', -115, 'weak'],
    ['lte', 'rsrp', -116, 'critical'],
    ['nr', 'rsrp', -93, 'fair'],
    ['lte', 'sinr', -4, 'critical'],
    ['umts', 'rscp', -108, 'weak'],
    ['umts', 'rscp', -111, 'critical'],
    ['wifi', 'rssi', -60, 'good'],
  ] as const)('puts %s %s of %d into %s', (rat, metric, value, band) => {
    expect(bandOf(rat, metric, value)).toBe(band);
  });

  it('has no band for a metric that the radio does not have', () => {
    expect(bandOf('gsm', 'rsrp', -80)).toBeUndefined();
    expect(bandOf('none', 'rsrp', -80)).toBeUndefined();
    expect(bandOf('wifi', 'noise', -90)).toBeUndefined();
  });

  it('has edges that fall from good to critical, with some hysteresis', () => {
    for (const b of BANDS) {
      expect(b.goodFrom).toBeGreaterThan(b.fairFrom);
      expect(b.fairFrom).toBeGreaterThan(b.weakFrom);
      expect(b.weakFrom).toBeGreaterThanOrEqual(b.criticalBelow);
      expect(b.hysteresis).toBeGreaterThan(0);
      expect(bandsOf(b.rat, b.metric)).toBe(b);
    }
  });
});

describe.skipIf(source.missing)('the table of bands (skipped where ../shared/data/signal-bands.csv is missing)', () => {
  it('says what its source says, but for rows without bands', () => {
    const theirs = source.rows
      .filter((row) => row.good_from !== '')
      .map((row) => ({
        rat: row.rat,
        metric: row.metric?.replace(/^ss_/, ''),
        goodFrom: Number(row.good_from),
        fairFrom: Number(row.fair_from),
        weakFrom: Number(row.weak_from),
        criticalBelow: Number(row.critical_below),
        hysteresis: Number(row.hysteresis),
      }));
    expect(BANDS).toEqual(theirs);
  });
});
