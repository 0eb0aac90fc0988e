import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAD_STEPS_SECONDS, leadStep } from '../../../watch/alerts/foresight.ts';
import type { Foreseen, ReportDay } from '../../../watch/alerts/report-days.ts';
import { causesReport, leadTimeReport } from '../../../watch/alerts/reports.ts';
import { DAY, MONDAY, SEED } from '../support/log.ts';

const day = (n: number, counts: Partial<ReportDay>): ReportDay => ({
  acquirer: 'acme',
  day: MONDAY + n * DAY,
  causes: {},
  foreseen: {},
  ...counts,
});
const NAME = 'coverage.weakening terminal.offline';
const foreseen = (n: number, counts: Partial<Foreseen>): ReportDay =>
  day(n, { foreseen: { [NAME]: { events: 0, leads: {}, cameTrue: 0, cameToNothing: 0, ...counts } } });

describe('the report of causes', () => {
  const report = causesReport([
    day(0, { causes: { 'radio radio': 6, 'radio power': 1, 'unknown unknown': 4 } }),
    day(1, { causes: { 'radio radio': 2, 'unknown power': 1, 'radio unknown': 3, 'cell cell': 2 } }),
  ]);

  it('has a row for each cause that may be said, and in it how often each was told', () => {
    expect(report.rows.map(({ said }) => said)).toEqual(expect.arrayContaining(['radio', 'unknown', 'cell', 'app']));
    expect(report.rows.find(({ said }) => said === 'radio')).toEqual({
      said: 'radio',
      told: expect.objectContaining({ radio: 8, power: 1, unknown: 3, site: 0 }),
      total: 12,
    });
    expect(report.totals).toMatchObject({ radio: 8, power: 2, unknown: 7, cell: 2, update: 0 });
    expect(report.total).toBe(19);
  });

  it('measures accuracy among those whose cause was told, where unknown is never right', () => {
    expect(report).toMatchObject({ told: 12, right: 10, accuracy: 10 / 12 });
  });

  it('measures precision among those of which a cause was said, too', () => {
    expect(report).toMatchObject({ guessed: 11, precision: 10 / 11 });
  });

  it('has no accuracy where nothing was told', () => {
    expect(causesReport([])).toMatchObject({ total: 0, told: 0, accuracy: null, precision: null });
  });
});

describe('the report of lead times', () => {
  it('adds up days, and tells quantiles by the steps that they were counted in', () => {
    const days = [
      foreseen(0, { events: 3, leads: { 600: 1, 3600: 1 }, cameTrue: 2 }),
      foreseen(1, { events: 9, leads: { 600: 1, 60: 1, 1800: 6 }, cameTrue: 7, cameToNothing: 3 }),
    ];

    expect(leadTimeReport(days)[0]).toEqual({
      warning: 'coverage.weakening',
      event: 'terminal.offline',
      events: 12,
      warned: 10,
      recall: 10 / 12,
      leadSeconds: { p10: 60, median: 1800, p90: 1800 },
      warnings: 12,
      cameTrue: 9,
      cameToNothing: 3,
    });
  });

  it('names what never happened, without a ratio', () => {
    expect(leadTimeReport([]).map(({ warning, events, recall, leadSeconds }) => [warning, events, recall, leadSeconds])).toEqual([
      ['coverage.weakening', 0, null, null],
      ['quota.terminals', 0, null, null],
    ]);
  });
});

describe('a lead', () => {
  it('is rounded down to a step, and never to more than it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 * DAY }), (ms) => {
        const step = leadStep(ms);

        expect(LEAD_STEPS_SECONDS).toContain(step);
        expect(step * 1000).toBeLessThanOrEqual(ms);
        expect(LEAD_STEPS_SECONDS.filter((other) => other > step && other * 1000 <= ms)).toEqual([]);
      }),
      { seed: SEED },
    );
  });

  it('of a clock that went back is nothing', () => {
    expect(leadStep(-1)).toBe(0);
  });
});
