import { describe, expect, it } from 'vitest';
import { Series } from '../../../collector/feed/series.ts';
import { Draft } from '../../../collector/store/draft.ts';
import { beginSave, loadRow, takeSaved } from '../../../watch/fold/table.ts';

const T = 1_763_798_400_000;
const DAY_MS = 86_400_000;
const draft = new Draft();
const of = (sn: string, app = '1', measurement = 'terminal') => draft.begin(measurement, { acquirer: 'acme', sn, app }, T);

describe('series', () => {
  it('are let in up to the most of their measurement; those that are there go on', () => {
    const series = new Series({ most: 2, days: 30 });

    expect([series.refusal(of('SN01'), T), series.refusal(of('SN02'), T)]).toEqual([null, null]);
    expect(series.refusal(of('SN03'), T)).toMatch(/^terminal has 2 series, the most that it may have \(TILLWATCH_MAX_SERIES\)$/);
    expect(series.refusal(of('SN01'), T)).toBeNull();
    expect(series.refusal(of('SN03', '1', 'presence'), T)).toBeNull();
    expect(series.measurements()).toEqual({ terminal: 2, presence: 1 });
  });

  it('of one terminal that changes its tags all the time end at 500, and leave the others room', () => {
    const series = new Series({ most: 10_000, days: 30 });

    const refused = Array.from({ length: 600 }, (_, i) => series.refusal(of('SN01', `app ${i}`), T)).filter((why) => why !== null);

    expect(refused).toHaveLength(100);
    expect(refused[0]).toBe('terminal of acme/SN01 has 500 series: it changes its tags all the time');
    expect(series.refusal(of('SN02'), T)).toBeNull();
  });

  it('that were not written for so many days make room', () => {
    const series = new Series({ most: 2, days: 30 });
    series.refusal(of('SN01'), T);
    series.refusal(of('SN02'), T);
    series.refusal(of('SN02'), T + 20 * DAY_MS);

    expect(series.refusal(of('SN03'), T + 30 * DAY_MS)).not.toBeNull();
    expect(series.refusal(of('SN03'), T + 31 * DAY_MS)).toBeNull();
    expect(series.refusal(of('SN01'), T + 31 * DAY_MS)).not.toBeNull();
    expect(series.refusal(of('SN02'), T + 31 * DAY_MS)).toBeNull();
  });

  it('are counted on after a restart, and a series that is written each day is saved once a day', () => {
    const before = new Series({ most: 2, days: 30 });
    before.refusal(of('SN01'), T);
    before.refusal(of('SN02'), T);
    beginSave(before.tables);
    const rows = takeSaved(before.tables, 100);
    const after = new Series({ most: 2, days: 30 });
    for (const row of rows) loadRow(after.tables, row);
    after.start();

    for (let i = 0; i < 10; i++) expect(after.refusal(of('SN01'), T + i * 1_000)).toBeNull();
    expect(after.refusal(of('SN03'), T)).not.toBeNull();
    beginSave(after.tables);

    expect(takeSaved(after.tables, 100)).toEqual([]);
  });
});
