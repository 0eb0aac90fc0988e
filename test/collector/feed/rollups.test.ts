import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rollups } from '../../../collector/feed/rollups.ts';
import { draftSample } from '../../../collector/feed/tagger.ts';
import { Draft } from '../../../collector/store/draft.ts';
import type { Point } from '../../../collector/store/point.ts';
import type { Sample } from '../../../protocol/schemas/sample.ts';
import { beginSave, loadRow, takeSaved } from '../../../watch/fold/table.ts';
import { identityOf } from './harness.ts';

const T = 1_763_798_400_000;
const MINUTE_MS = 60_000;
const WINDOW_MS = 5 * MINUTE_MS;
const tagsOf = (sn: string, merchant = 'm-1') => ({ acquirer: 'acme', sn, merchant, site: 's-1', model: 'A920', app: '1' });

/** Rolls samples up, and keeps what is written. */
class Roller {
  rollups = new Rollups();
  readonly points: Point[] = [];
  readonly #draft = new Draft();

  sample(sample: Sample, tags = tagsOf('SN000001')): this {
    this.rollups.add(draftSample({ sample, seq: 1, skewMs: 0, tags }, this.#draft), tags, (fill) =>
      this.points.push(fill(new Draft()).point()),
    );
    return this;
  }

  moveTo(now: number): this {
    this.rollups.moveTo(now, (fill) => this.points.push(fill(new Draft()).point()));
    return this;
  }

  /** Goes on in another process. */
  restart(): void {
    beginSave(this.rollups.tables);
    const rows = takeSaved(this.rollups.tables, 1_000_000);
    const next = new Rollups();
    for (const row of [...this.#saved(rows)]) loadRow(next.tables, row);
    next.start();
    this.rollups = next;
  }

  readonly #disk = new Map<string, { table: string; key: string; value: string | null }>();
  #saved(rows: { table: string; key: string; value: string | null }[]) {
    for (const row of rows) row.value === null ? this.#disk.delete(row.key) : this.#disk.set(row.key, row);
    return this.#disk.values();
  }
}

describe('a roll-up', () => {
  it('has the least, mean and greatest of levels, the last of states, the sum of counts, and how many samples there were', () => {
    const roller = new Roller()
      .sample({ at: T, signal: { rat: 'lte', rsrp: -100 }, sim: { usedBytes: 10 }, link: { reconnects: 1 } })
      .sample({ at: T + MINUTE_MS, signal: { rsrp: -90 }, sim: { usedBytes: 30 }, link: { reconnects: 2 } })
      .sample({ at: T + 2 * MINUTE_MS, signal: { rsrp: -110 } })
      .moveTo(T + 6 * MINUTE_MS);

    expect(roller.points).toEqual([
      {
        measurement: 'terminal_5m',
        tags: tagsOf('SN000001'),
        fields: {
          n: 3,
          signal_rsrp_min: -110,
          signal_rsrp_mean: -100,
          signal_rsrp_max: -90,
          sim_usedBytes_last: 30,
          link_reconnects_sum: 3,
        },
        at: T + 2 * MINUTE_MS,
      },
    ]);
  });

  it('is written when its terminal begins another window, or a minute after its end, whichever comes first', () => {
    const roller = new Roller().sample({ at: T + 1 }).sample({ at: T + 1 }, tagsOf('SN000002'));

    roller.moveTo(T + 6 * MINUTE_MS - 1);
    const before = roller.points.length;
    roller.sample({ at: T + WINDOW_MS });
    const moved = roller.points.map(({ tags }) => tags.sn);
    roller.moveTo(T + 6 * MINUTE_MS);

    expect(before).toBe(0);
    expect(moved).toEqual(['SN000001']);
    expect(roller.points.map(({ tags }) => tags.sn)).toEqual(['SN000001', 'SN000002']);
  });

  it('of a terminal that moves within a window is one for each merchant', () => {
    const roller = new Roller()
      .sample({ at: T + 1 })
      .sample({ at: T + 2 }, tagsOf('SN000001', 'm-2'))
      .moveTo(T + 6 * MINUTE_MS);

    expect(roller.points.map(({ tags, fields }) => [tags.merchant, fields.n])).toEqual([
      ['m-1', 1],
      ['m-2', 1],
    ]);
  });

  it('takes the last state by the time of samples, not by when they came', () => {
    const roller = new Roller()
      .sample({ at: T + 2_000, sim: { usedBytes: 20 } })
      .sample({ at: T + 1_000, sim: { usedBytes: 10 } })
      .moveTo(T + 6 * MINUTE_MS);

    expect(roller.points[0]).toMatchObject({ at: T + 2_000, fields: { sim_usedBytes_last: 20 } });
  });
});

describe('roll-ups', () => {
  const DAY_MS = 86_400_000;
  const sent = fc.record({
    afterMs: fc.integer({ min: 1, max: 200_000 }),
    offMs: fc.constantFrom(0, 0, 0, -90_000, -DAY_MS),
    sn: fc.constantFrom('SN000001', 'SN000002'),
    rsrp: fc.integer({ min: -140, max: -40 }),
  });
  type Sent = typeof sent extends fc.Arbitrary<infer S> ? S : never;

  function play(samples: Sent[], restartEvery = Number.POSITIVE_INFINITY): { points: Point[]; placed: (Sent & { at: number })[] } {
    const roller = new Roller();
    let now = T;
    const placed = samples.map((one, i) => {
      now += one.afterMs;
      if (i % restartEvery === restartEvery - 1) roller.restart();
      const at = now + one.offMs;
      roller.moveTo(now).sample({ at, signal: { rsrp: one.rsrp } }, tagsOf(one.sn));
      return { ...one, at };
    });
    return { points: roller.moveTo(now + DAY_MS).points, placed };
  }

  it('hold every sample once, within its window, however late it comes; no two share an identity', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 60 }), (samples) => {
        const { points, placed } = play(samples);

        const groups = (rows: { sn: string; at: number; n: number; min: number; max: number; sum: number }[]) => {
          const all = new Map<string, { n: number; min: number; max: number; sum: number }>();
          for (const { sn, at, n, min, max, sum } of rows) {
            const key = `${sn} ${Math.floor(at / WINDOW_MS)}`;
            const g = all.get(key) ?? { n: 0, min: 0, max: -1_000, sum: 0 };
            all.set(key, { n: g.n + n, min: Math.min(g.min, min), max: Math.max(g.max, max), sum: g.sum + sum });
          }
          return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, g]) => [key, { ...g, sum: Math.round(g.sum) }]);
        };
        const made = points.map(({ tags, at, fields: f }) => ({
          sn: tags.sn!,
          at,
          n: Number(f.n),
          min: Number(f.signal_rsrp_min),
          max: Number(f.signal_rsrp_max),
          sum: Number(f.signal_rsrp_mean) * Number(f.n),
        }));
        expect(groups(made)).toEqual(groups(placed.map(({ sn, at, rsrp }) => ({ sn, at, n: 1, min: rsrp, max: rsrp, sum: rsrp }))));
        const times = new Set(placed.map(({ sn, at }) => `${sn} ${at}`));
        if (times.size === placed.length) expect(new Set(points.map(identityOf)).size).toBe(points.length);
      }),
      { numRuns: 200, seed: 20_251_122 },
    );
  });

  it('are the same points wherever a restart falls', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (samples, every) => {
        const sorted = (points: Point[]) => points.map((point) => JSON.stringify([identityOf(point), point.fields])).sort();

        expect(sorted(play(samples, every).points)).toEqual(sorted(play(samples).points));
      }),
      { numRuns: 100, seed: 20_251_122 },
    );
  });
});
