import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcomes } from '../../../collector/feed/outcomes.ts';
import type { Point } from '../../../collector/store/point.ts';
import { beginSave, loadRow, takeSaved } from '../../../watch/fold/table.ts';
import { identityOf } from './harness.ts';

const T = 1_763_798_400_000;
const WINDOW_MS = 300_000;
const DAY_MS = 86_400_000;

interface Sent {
  afterMs: number;
  offMs: number;
  sn: string;
  merchant: string;
  code: string;
  n: number;
}

const sample: fc.Arbitrary<Sent> = fc.record({
  /** When it comes, after the one before; and how far off its own time is: backlogs, and clocks that ran away. */
  afterMs: fc.integer({ min: 0, max: 200_000 }),
  offMs: fc.constantFrom(0, 0, -60_000, -DAY_MS, -250 * DAY_MS, 240_000, DAY_MS, 3_650 * DAY_MS),
  sn: fc.constantFrom('SN000001', 'SN000002'),
  merchant: fc.constantFrom('m-1', 'm-2', ''),
  code: fc.constantFrom('00', '05', '91'),
  n: fc.integer({ min: 0, max: 100 }),
});

const outcomesNow = () => new Outcomes((_, code) => (code === '00' ? 'approved' : 'declined'));

function saveAndLoad(from: Outcomes): Outcomes {
  beginSave(from.tables);
  const rows = [];
  for (let slice = takeSaved(from.tables, 10); slice.length > 0; slice = takeSaved(from.tables, 10))
    rows.push(...slice.filter(({ value }) => value !== null));
  const to = outcomesNow();
  for (const row of rows) loadRow(to.tables, row);
  return to;
}

function play(samples: Sent[], restartEvery: number): Point[] {
  let outcomes = outcomesNow();
  const points: Point[] = [];
  let now = T;
  for (const [i, { afterMs, offMs, sn, merchant, code, n }] of samples.entries()) {
    now += afterMs;
    if (i % restartEvery === restartEvery - 1) outcomes = saveAndLoad(outcomes);
    points.push(...outcomes.moveTo(now));
    const at = Math.max(0, now + offMs);
    outcomes.add({
      sample: { at, outcomes: [{ system: 'visa', code, n }] },
      seq: i,
      skewMs: 0,
      tags: { acquirer: 'acme', sn, merchant, site: '', model: '', app: '' },
    });
  }
  points.push(...outcomes.moveTo(now + 60_000));
  return points;
}

describe('outcomes', () => {
  it('sum up to what was sent, in the windows that it belongs to, and no two flushes share an identity', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 60 }), (samples) => {
        const points = play(samples, Number.POSITIVE_INFINITY);

        const expected = new Map<string, number>();
        let now = T;
        for (const { afterMs, offMs, merchant, code, n } of samples) {
          now += afterMs;
          const window = Math.floor(Math.max(0, now + offMs) / WINDOW_MS);
          expected.set(`${window} ${merchant} ${code}`, (expected.get(`${window} ${merchant} ${code}`) ?? 0) + n);
        }
        const stored = new Map<string, number>();
        for (const { at, tags, fields } of points) {
          const key = `${Math.floor(at / WINDOW_MS)} ${tags.merchant} ${tags.code}`;
          stored.set(key, (stored.get(key) ?? 0) + Number(fields.n));
        }
        expect(stored).toEqual(expected);
        expect(new Set(points.map(identityOf)).size).toBe(points.length);
      }),
      { numRuns: 300, seed: 20_251_122 },
    );
  });

  it('are the same points wherever a restart falls', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 40 }), fc.integer({ min: 2, max: 7 }), (samples, every) => {
        const sorted = (points: Point[]) => points.map((p) => JSON.stringify([identityOf(p), p.fields])).sort();

        expect(sorted(play(samples, every))).toEqual(sorted(play(samples, Number.POSITIVE_INFINITY)));
      }),
      { numRuns: 100, seed: 20_251_122 },
    );
  });

  it('count each terminal once a flush', () => {
    const outcomes = outcomesNow();
    const one = (sn: string) => ({
      sample: { at: T, outcomes: [{ system: 'visa', code: '00', n: 2 }] },
      seq: 0,
      skewMs: 0,
      tags: { acquirer: 'acme', sn, merchant: '', site: '', model: '', app: '' },
    });
    outcomes.moveTo(T);
    for (const sn of ['SN000001', 'SN000002', 'SN000001']) outcomes.add(one(sn));

    expect(outcomes.moveTo(T + 60_000).map(({ fields }) => fields)).toEqual([{ n: 6, terminals: 2 }]);
  });

  it('are flushed by the time of the log alone, which may stand still or go back', () => {
    const outcomes = outcomesNow();
    outcomes.moveTo(T);
    outcomes.add({
      sample: { at: T, outcomes: [{ system: 'visa', code: '00', n: 1 }] },
      seq: 0,
      skewMs: 0,
      tags: { acquirer: 'acme', sn: 'SN000001', merchant: '', site: '', model: '', app: '' },
    });

    expect(outcomes.moveTo(T + 59_999)).toEqual([]);
    expect(outcomes.moveTo(T - DAY_MS)).toEqual([]);
    expect(outcomes.moveTo(T + 60_000)).toHaveLength(1);
  });
});
