import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../protocol/alerts.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { binding, DAY, entry, fold, HOUR, type Line, MINUTE, MONDAY, SEED, serial, terminal, tick } from '../support/log.ts';
import { batch, event, levels, samples, shop, signal, steady, told, type Values } from '../support/signals.ts';

/** The first alert of coverage. */
function fired(lines: readonly Line[]): Alert {
  return fold([...shop(), ...lines]).find(({ alert }) => alert.type === 'coverage.weakening')!.alert;
}

describe('a band', () => {
  it('is told at the third sample in a row under fair', () => {
    expect(told(levels([-90, -106, -108, -107]))).toEqual(['15 fired band warning weak_signal']);
  });

  it.each([
    ['two in a row', [-90, -106, -108, -90, -106, -108, -90]],
    ['three at the edge of fair', [-90, -105, -105, -105, -105]],
    ['three that are not in a row', [-90, -106, -104, -106, -104, -106]],
  ])('is not told of %s', (_, values) => {
    expect(told(levels(values))).toEqual([]);
  });

  it('is over at one sample that is at fair and the hysteresis, not at one between', () => {
    expect(told(levels([-106, -106, -106, -103, -104, -102]))).toEqual([
      '10 fired band warning weak_signal',
      '25 resolved band warning weak_signal',
    ]);
  });

  it('is of any quantity, and each has to come back', () => {
    const noisy = { rat: 'lte', rsrp: -80, rsrq: -16, sinr: 1 };
    const half = { rat: 'lte', rsrp: -80, rsrq: -12, sinr: 1 };

    expect(told(levels([noisy, noisy, noisy, half, half, { ...half, sinr: 5 }]))).toEqual([
      '10 fired band warning interference',
      '25 resolved band warning interference',
    ]);
  });

  it('counts samples in which different quantities are weak as in a row', () => {
    const values = [
      { rat: 'lte', rsrp: -106, sinr: 10 },
      { rat: 'lte', rsrp: -95, sinr: 2 },
      { rat: 'lte', rsrp: -95, rsrq: -17 },
    ];

    expect(told(levels(values))).toHaveLength(1);
  });

  it.each([
    ['gsm', { rssi: -96 }, { rssi: -92 }],
    ['umts', { rscp: -96 }, { rscp: -92 }],
    ['umts', { rscp: -80, ecno: -13 }, { rscp: -80, ecno: -10 }],
    ['nr', { rsrp: -106 }, { rsrp: -102 }],
    ['wifi', { rssi: -68 }, { rssi: -64 }],
  ])('is known of %s', (rat, weak, good) => {
    const values = [weak, weak, weak, good].map((value) => ({ rat, ...value }));

    expect(told(levels(values)).map((line) => line.split(' ', 3).join(' '))).toEqual(['10 fired band', '15 resolved band']);
  });

  it('does not count a sample without a signal, and does not begin anew at it', () => {
    const weak = { signal: signal(-108) };

    expect(told(samples([weak, {}, weak, { signal: { rat: 'none' } }, weak]))).toEqual(['20 fired band warning weak_signal']);
  });

  it('begins anew after a silence that is longer than the samples are worth', () => {
    expect(told([...levels([-108, -108]), ...levels([-108, -108], { from: MONDAY + HOUR, seq: 2 })])).toEqual([]);
  });

  it('stands while the terminal is silent, whatever time says', () => {
    expect(told([...levels([-108, -108, -108]), tick(MONDAY + 3 * DAY)])).toEqual(['10 fired band warning weak_signal']);
  });

  it('is judged by the end of a batch: what came and went in it is told to nobody', () => {
    const at = MONDAY + 10 * MINUTE;
    const taken = [-108, -108, -108, -90].map((value, n) => ({ at: at - (3 - n) * MINUTE, signal: signal(value) }));

    expect(told([batch(at, 0, taken)])).toEqual([]);
    expect(told([batch(at, 0, taken.slice(0, 3))])).toEqual(['10 fired band warning weak_signal']);
  });

  it('is found in a batch in columns, in whatever order its samples stand', () => {
    const at = MONDAY + 10 * MINUTE;
    const payload = {
      v: 1,
      session: 's1',
      seq: 0,
      at: [at, at - 2 * MINUTE, at - MINUTE],
      cols: { 'signal.rat': ['lte', 'lte', 'lte'], 'signal.rsrp': [-108, -107, -106] },
    };

    expect(told([{ at, topic: `pos/v1/acme/${serial(1)}/report`, payload }])).toEqual(['10 fired band warning weak_signal']);
  });

  it('counts what a sparse birth leaves out as unchanged, and what another leaves out as unknown', () => {
    const values = [{ signal: signal(-108) }, {}, {}];

    expect(told(samples(values), { sparse: true })).toEqual(['10 fired band warning weak_signal']);
    expect(told(samples(values))).toEqual([]);
  });
});

describe('samples that are old', () => {
  const backlog = (count: number, end: number) =>
    batch(
      MONDAY + 2 * HOUR,
      9,
      Array.from({ length: count }, (_, n) => ({ at: end - (count - 1 - n) * 5 * MINUTE, signal: signal(-110) })),
    );

  it('fire nothing', () => {
    expect(told([...levels([-85]), backlog(12, MONDAY + 90 * MINUTE)])).toEqual([]);
  });

  it('resolve nothing', () => {
    const good = batch(MONDAY + 2 * HOUR, 9, [{ at: MONDAY + HOUR, signal: signal(-80) }]);

    expect(told([...levels([-108, -108, -108]), good])).toEqual(['10 fired band warning weak_signal']);
  });

  it('are not "in a row" with what is heard now', () => {
    const now = levels([-110, -110], { from: MONDAY + 2 * HOUR + MINUTE, seq: 20 });

    expect(told([...levels([-85]), backlog(12, MONDAY + 90 * MINUTE), ...now])).toEqual([]);
  });

  it('fire nothing where they come after newer ones, however young they are', () => {
    const late = levels([-110, -110, -110], { from: MONDAY + MINUTE, every: MINUTE, session: 's0' }).map((line) => ({
      ...line,
      at: MONDAY + 6 * MINUTE,
    }));

    expect(told([...levels([-85, -85]), ...late])).toEqual([]);
  });

  it('fire nothing where they are replayed from quarantine', () => {
    const replayed = levels([-110, -110, -110]).map((line) => ({ ...line, replayOf: { at: line.at } }));

    expect(told(replayed)).toEqual([]);
  });
});

describe('a step', () => {
  const day = levels(steady(-80, 288));
  const after = (values: readonly (number | Values)[]) => [...day, ...levels(values, { from: MONDAY + DAY, seq: 288 })];

  it('is told at the third sample 10 dB under the median of the day before', () => {
    expect(told(after([-90, -91, -90]))).toEqual(['1450 fired step warning obstructed']);
  });

  it.each([
    ['9 dB', [-89, -89, -89, -89, -89]],
    ['two samples', [-92, -92, -80, -92, -92]],
  ])('is not told of %s', (_, values) => {
    expect(told(after(values))).toEqual([]);
  });

  it('is over when the level is back to within the hysteresis', () => {
    expect(told(after([-95, -95, -95, -88, -87]))).toEqual(['1450 fired step warning obstructed', '1460 resolved step warning obstructed']);
  });

  it.each(['mobile', undefined])('is not told of a terminal whose use is %s', (use) => {
    expect(told(after([-95, -95, -95]), { use })).toEqual([]);
  });

  it('is not told of one that the registry calls mobile', () => {
    expect(told([terminal(MONDAY - 1, serial(1), { use: 'mobile' }), ...after([-95, -95, -95])])).toEqual([]);
  });

  it('is not told where hardly anything is known of the day', () => {
    expect(told([...levels(steady(-80, 12)), ...levels([-95, -95, -95], { from: MONDAY + HOUR, seq: 12 })])).toEqual([]);
  });

  it('is over where the new level has become the median', () => {
    const lines = told(after(steady(-95, 288)));

    expect(lines.map((line) => line.replace(/^\d+ /, ''))).toEqual(['fired step warning obstructed', 'resolved step warning obstructed']);
    expect(Number(lines[1]!.split(' ')[0])).toBeGreaterThan(1440 + 8 * 60);
  });

  it('is told on Monday against the Saturday of a shop that is closed on Sunday', () => {
    const monday = levels([-95, -95, -95], { from: MONDAY + 2.5 * DAY, seq: 288 });

    expect(told([...day, ...monday])).toHaveLength(1);
  });

  it('is held against levels of the same radio alone', () => {
    const gsm = Array.from({ length: 6 }, () => ({ rat: 'gsm', rssi: -93 }));

    expect(told(after(gsm))).toEqual([]);
  });

  it('is over on another radio that is good, though nothing is known of its days', () => {
    expect(told(after([-95, -95, -95, { rat: 'gsm', rssi: -70 }]))).toHaveLength(2);
    expect(told(after([-95, -95, -95, { rat: 'gsm', rssi: -100 }]))).toHaveLength(1);
  });

  it('is still seen after a short fallback to another radio', () => {
    const fallback = { rat: 'gsm', rssi: -70 };

    expect(told(after([fallback, -95, -95, -95]))).toEqual(['1455 fired step warning obstructed']);
  });
});

describe('a trend', () => {
  const fall = (from: number, by: number, count: number) => Array.from({ length: count }, (_, n) => from - n * by);

  it('is told before the band: falling over six reports, and on course to be critical within half an hour', () => {
    expect(told(levels(fall(-88, 3, 6)))).toEqual(['25 fired trend warning falling']);
  });

  it.each([
    ['five reports', fall(-88, 3, 5)],
    ['a fall that takes longer than that', fall(-70, 2, 9)],
    ['a fall of hardly more than noise', [-103, -104, -103, -105, -104, -105]],
    ['one drop', [-78, -78, -78, -78, -96, -96]],
    ['a level that rises', fall(-104, -2, 8)],
  ])('is not told of %s', (_, values) => {
    expect(told(levels(values), { use: 'mobile' })).toEqual([]);
  });

  it('says when it will be critical', () => {
    const alert = fired(levels(fall(-88, 3, 6)));

    // At -103 and 3 dB in five minutes it is 20 minutes to -115.
    expect(alert.predicted).toEqual({ at: MONDAY + 45 * MINUTE, earliest: MONDAY + 45 * MINUTE, latest: MONDAY + 45 * MINUTE });
  });

  it('says between when and when, where the fall is uneven', () => {
    const { at, earliest, latest } = fired(levels([-88, -92, -93, -98, -99, -104])).predicted!;

    expect(earliest).toBeLessThan(at);
    expect(latest).toBeGreaterThan(at);
  });

  it('goes on by another reason where it ends in the band', () => {
    const lines = told(levels([...fall(-88, 3, 6), ...steady(-108, 12)]));

    expect(lines[0]).toBe('25 fired trend warning falling');
    expect(lines.slice(1).map((line) => line.replace(/^\d+ /, ''))).toEqual(['updated band warning weak_signal']);
  });

  it('is over when the level is back up', () => {
    expect(told(levels([...fall(-88, 3, 6), -90]))).toEqual(['25 fired trend warning falling', '30 resolved trend warning falling']);
  });

  it('is of reports: many samples of some seconds are no trend', () => {
    const taken = fall(-88, 1, 15).map((value, n) => ({ at: MONDAY + n * 1000, signal: signal(value) }));

    expect(told([batch(MONDAY + 15_000, 0, taken)])).toEqual([]);
  });

  it('begins anew on another radio', () => {
    const values = [...fall(-88, 3, 4), ...[-97, -100].map((rscp) => ({ rat: 'umts', rscp }))];

    expect(told(levels(values))).toEqual([]);
  });
});

describe('reconnects', () => {
  const links = (counts: readonly number[], every = 15 * MINUTE) =>
    samples(
      counts.map((reconnects) => ({ link: { reconnects } })),
      { every },
    );

  it('are told at the fourth in an hour, and over when there are fewer', () => {
    expect(told(links([1, 1, 0, 2, 0, 0]))).toEqual(['45 fired reconnects warning unknown', '60 resolved reconnects warning unknown']);
  });

  it('are not told of three in an hour, hour after hour', () => {
    expect(told(links([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0]))).toEqual([]);
  });

  it('stand while the terminal is silent', () => {
    expect(told([...links([2, 2]), tick(MONDAY + 5 * HOUR)])).toHaveLength(1);
  });

  it('are of weak coverage where it is weak', () => {
    const values = [0, 1, 3].map((reconnects) => ({ link: { reconnects }, signal: signal(-107) }));

    expect(told(samples(values.slice(1)))).toEqual(['5 fired reconnects warning weak_signal']);
  });
});

describe("the agent's own word", () => {
  const warning = event(MONDAY + 10 * MINUTE, 1, 'coverage.weakening', { risk: 0.4, cause: 'falling', cell: '76c6c', rsrp: -113, sinr: 1 });
  const recovered = event(MONDAY + 30 * MINUTE, 2, 'coverage.recovered', { risk: 0.02 });

  it('is told at once, and until it has recovered', () => {
    expect(told([warning, ...levels([-84, -84], { from: MONDAY + 15 * MINUTE, seq: 5 }), recovered])).toEqual([
      '10 fired agent warning falling',
      '30 resolved agent warning falling',
    ]);
  });

  it('is evidence with its risk and what it saw', () => {
    expect(fired([warning]).evidence).toEqual(
      [
        { what: 'risk', value: 0.4 },
        { what: 'rsrp', value: -113 },
        { what: 'sinr', value: 1 },
        { what: 'cell', value: '76c6c' },
      ].map((e) => ({ ...e, at: warning.at })),
    );
  });

  it('has an unknown cause where it gives none of ours', () => {
    expect(told([event(MONDAY, 1, 'coverage.weakening', { cause: 'aliens' })])).toEqual(['0 fired agent warning unknown']);
    expect(told([event(MONDAY, 1, 'coverage.weakening')])).toEqual(['0 fired agent warning unknown']);
  });

  it('is not ended by a new session', () => {
    const born: Line = { ...shop()[1]!, at: MONDAY + 20 * MINUTE };

    expect(told([warning, { ...born, payload: { ...(born.payload as Values), session: 's2', at: born.at } }])).toHaveLength(1);
  });

  it('that comes late is history, but not that all is well', () => {
    const late = (line: Line) => ({ ...line, at: MONDAY + 2 * HOUR });

    expect(told([late(warning)])).toEqual([]);
    expect(told([warning, late(recovered)])).toEqual(['10 fired agent warning falling', '120 resolved agent warning falling']);
  });

  it('that is older than its last one says nothing', () => {
    const before = event(MONDAY + 5 * MINUTE, 0, 'coverage.recovered');

    expect(told([warning, { ...before, at: MONDAY + 12 * MINUTE }])).toEqual(['10 fired agent warning falling']);
  });

  it('is forgotten where it was heard for a day without another', () => {
    const lines = told([warning, ...levels(steady(-84, 300), { seq: 10 })]);

    expect(lines.map((line) => line.replace(/^\d+ /, ''))).toEqual(['fired agent warning falling', 'resolved agent warning falling']);
  });

  it('leaves the reason that came first, and takes over when that is over', () => {
    expect(
      told([
        ...levels([-108, -108, -108], { seq: 10 }),
        { ...warning, at: MONDAY + 11 * MINUTE },
        ...levels([-90], { from: MONDAY + 15 * MINUTE, seq: 20 }),
      ]),
    ).toEqual(['10 fired band warning weak_signal', '15 updated agent warning falling']);
  });
});

describe('the cause', () => {
  it.each([
    ['a weak level', { rat: 'lte', rsrp: -108, rsrq: -9, sinr: 14 }, 'weak_signal'],
    ['a weak level that is noisy too', { rat: 'lte', rsrp: -108, rsrq: -17, sinr: 0 }, 'weak_signal'],
    ['noise at a good level', { rat: 'lte', rsrp: -80, rsrq: -9, sinr: 0 }, 'interference'],
    ['poor quality at a good level', { rat: 'nr', rsrp: -80, rsrq: -17, sinr: 14 }, 'interference'],
    ['noise at a fair level', { rat: 'lte', rsrp: -100, rsrq: -9, sinr: 0 }, 'interference'],
    ['noise at an unknown level', { rat: 'lte', sinr: 0 }, 'unknown'],
    ['poor quality of a good UMTS level', { rat: 'umts', rscp: -70, ecno: -14 }, 'interference'],
  ])('of %s', (_, value, cause) => {
    expect(fired(levels([value, value, value])).cause).toBe(cause);
  });

  it('is surer of interference where the level is good than where it is fair', () => {
    const confidence = (rsrp: number) => fired(levels(Array(3).fill({ rat: 'lte', rsrp, sinr: 0 }))).confidence;

    expect(confidence(-80)).toBeGreaterThan(confidence(-100));
  });

  const at = (cell: string, rsrp: number) => ({ rat: 'lte', rsrp, mcc: '460', mnc: '00', lac: '9cba', cell });
  const moved = { radio: { moving: true } };

  it('is a new place where it is in a new cell after a move', () => {
    const lines = [
      ...samples([{ signal: at('a1', -85) }, { signal: at('a1', -85), ...moved }]),
      ...levels([at('b2', -108), at('b2', -108), at('b2', -108)], { from: MONDAY + 10 * MINUTE, seq: 2 }),
    ];

    expect(told(lines)).toEqual(['20 fired band warning relocated']);
  });

  it('is a new place where its fixes say so', () => {
    const place = (lat: number) => ({ place: { lat, lon: 121.4, datum: 'gcj02', accuracy: 20 } });
    const lines = samples([
      { signal: at('a1', -85), ...place(31.2) },
      ...Array.from({ length: 3 }, () => ({ signal: at('b2', -108), ...place(31.3) })),
    ]);

    expect(told(lines)).toEqual(['15 fired band warning relocated']);
  });

  it.each([
    ['a new cell alone', 'b2', {}],
    ['a move alone', 'a1', moved],
  ])('is not a new place for %s', (_, cell, more) => {
    const lines = samples([{ signal: at('a1', -85) }, ...Array.from({ length: 3 }, () => ({ signal: at(cell, -108), ...more }))]);

    expect(told(lines)).toEqual(['15 fired band warning weak_signal']);
  });

  it('does not change with each report', () => {
    const noisy = { rat: 'lte', rsrp: -100, sinr: 0 };
    const both = { rat: 'lte', rsrp: -106, sinr: 0 };

    expect(told(levels([noisy, noisy, noisy, both, noisy, both]))).toEqual(['10 fired band warning interference']);
  });
});

describe("the interval's summary", () => {
  const summed = (signalRsrp: number, rsrpMedian: number, more: Values = {}) => ({
    signal: signal(signalRsrp),
    radio: { seconds: 300, reads: 100, rsrpMedian, rsrqMedian: -9, sinrMedian: 14, secondsByRat: { lte: 300 }, ...more },
  });
  const three = (sample: Values) => told(samples([sample, sample, sample]));

  it('stands for the interval where the moment says otherwise', () => {
    expect(three(summed(-108, -90))).toEqual([]);
    expect(three(summed(-90, -108))).toEqual(['10 fired band warning weak_signal']);
  });

  it.each([
    ['most of which was on another radio', { secondsByRat: { gsm: 200, lte: 100 } }],
    ['of hardly a reading', { reads: 100, unknown: 98 }],
    ['whose modem knew nothing', { rsrpMedian: -200 }],
  ])('is left aside for one %s', (_, more) => {
    expect(three(summed(-90, -108, more))).toEqual([]);
  });

  it('is not of Wi-Fi, nor of GSM', () => {
    const radio = summed(0, -112).radio;

    expect(three({ signal: { rat: 'wifi', rssi: -50 }, radio })).toEqual([]);
    expect(three({ signal: { rat: 'gsm', rssi: -70 }, radio })).toEqual([]);
  });

  it('is enough where there is no signal', () => {
    expect(three({ radio: summed(0, -108).radio })).toEqual(['10 fired band warning weak_signal']);
  });
});

describe('two radios', () => {
  it('in one report are quiet while one of them is good', () => {
    const lines = Array.from({ length: 8 }, (_, n) => {
      const at = MONDAY + n * 5 * MINUTE;
      return batch(at, n, [
        { at, signal: { rat: 'wifi', rssi: -50 } },
        { at, signal: signal(-112) },
      ]);
    });

    expect(told(lines)).toEqual([]);
  });

  it('in one signal are the one that is in use', () => {
    expect(told(levels(Array(4).fill({ rat: 'wifi', rssi: -50, rsrp: -118, sinr: -5 })))).toEqual([]);
  });

  it('are the same cell only of the same operator', () => {
    const at = (mnc: string) => ({ rat: 'lte', rsrp: -85, mcc: '460', mnc, lac: '9cba', cell: '1' });
    const watch = new Watch();
    fold([...shop(), ...levels([at('00'), at('01')])], watch);

    expect(watch.state.terminals.get(`acme/${serial(1)}`)!.coverage).toMatchObject({
      cell: '460-01-9cba-1',
      cellSince: MONDAY + 5 * MINUTE,
    });
  });

  it('that change while the alert stands end it by a level of the new one that is back above the hysteresis', () => {
    expect(told(levels([-108, -108, -108, { rat: 'gsm', rssi: -93 }, { rat: 'gsm', rssi: -70 }]))).toEqual([
      '10 fired band warning weak_signal',
      '20 resolved band warning weak_signal',
    ]);
  });
});

describe('what modems mark as unknown', () => {
  it.each([
    [{ rat: 'lte', rsrp: -200 }],
    [{ rat: 'lte', sinr: -30 }],
    [{ rat: 'lte', rsrp: 255 }],
    [{ rat: 'nr', rsrp: 127 }],
    [{ rat: 'gsm', rssi: 99 }],
    [{ rat: 'umts', rscp: 255 }],
    [{ rat: 'umts', rscp: -200 }],
    [{ rat: 'wifi', rssi: 0 }],
    [{ rat: 'wifi', rssi: -127, noise: -256 }],
    [{ rat: 'none' }],
    [{}],
  ])('%j is nothing', (value) => {
    const watch = new Watch();
    const transitions = fold([...shop(), ...levels([value, value, value, value])], watch);

    expect(transitions).toEqual([]);
    expect(watch.state.terminals.get(`acme/${serial(1)}`)!.coverage).toBeNull();
  });
});

describe('a terminal that lives in a weak band', () => {
  /** A report each half-hour, all day, with this level in each. */
  const days = (count: number, levelOf: (day: number, n: number) => number) =>
    levels(
      Array.from({ length: count * 48 }, (_, n) => levelOf(Math.floor(n / 48), n % 48)),
      { every: 30 * MINUTE },
    );
  const half = { interval: 1800 };
  /** Weak but for one good report a day: without its weeks it would be an alert each day. */
  const daily = (_: number, n: number) => (n === 20 ? -95 : -110 + (n % 3));
  const inDay = (line: string) => Math.floor(Number(line.split(' ')[0]) / 1440);

  it('is told of each day for two weeks, then once as information, then no more', () => {
    const lines = told(days(28, daily), half);

    const warnings = lines.filter((line) => line.includes('fired band warning'));
    const infos = lines.filter((line) => line.includes('info') && !line.includes('resolved'));
    expect(Math.max(...warnings.map(inDay))).toBeLessThan(15);
    expect(infos).toHaveLength(1);
    expect(Math.max(...lines.map(inDay))).toBeLessThan(16);
  });

  it('falls to information where its alert never ended', () => {
    const lines = told(
      days(20, () => -109),
      half,
    );

    expect(lines.map((line) => line.replace(/^\d+ /, ''))).toEqual(['fired band warning weak_signal', 'updated band info weak_signal']);
  });

  it('is told of where its antenna is moved', () => {
    const lines = told(
      days(24, (day, n) => (day < 22 ? -108 : -119) + (n % 2)),
      half,
    );

    expect(lines.at(-2)).toMatch(/updated step warning obstructed$/);
    expect(lines.at(-1)).toMatch(/updated band info weak_signal$/);
  });

  it('is told of where noise is added to it', () => {
    const weeks = days(22, () => -108);
    const noise = levels(Array(4).fill({ rat: 'lte', rsrp: -108, rsrq: -17, sinr: -2 }), {
      from: MONDAY + 22 * DAY,
      every: 30 * MINUTE,
      seq: 5000,
    });

    expect(told([...weeks, ...noise], half).at(-1)).toMatch(/updated band warning/);
  });

  it('is a warning as before where it does not work', () => {
    // Each day it is gone for three hours.
    const gone = days(28, daily).filter((_, n) => n % 48 < 30 || n % 48 > 36);

    expect(told(gone, half).filter((line) => line.includes('info'))).toEqual([]);
  });

  it('is heard as working though its shop is closed at night', () => {
    const open = days(28, daily).filter((_, n) => n % 48 >= 18 && n % 48 < 42);
    const expected = { tz: 'UTC', week: Array(7).fill('09:00-21:00') };

    expect(told(open, { ...half, expected }).some((line) => line.includes('info'))).toBe(true);
  });

  it('is a warning again after it had been good for weeks', () => {
    const lines = told(
      days(62, (day) => (day < 20 || day >= 55 ? -109 : -85)),
      half,
    );

    expect(lines.at(-1)).toMatch(/fired band warning weak_signal|updated/);
    expect(inDay(lines.at(-1)!)).toBe(55);
  });
});

describe('who raises it', () => {
  const weak = levels([-108, -108, -108]);

  it.each(['inactive', 'swapped_out', 'blacklisted', 'deleted'])('is nobody that is %s when it is told', (lifecycle) => {
    const registered = terminal(MONDAY + 10 * MINUTE - 1, serial(1), { lifecycle });
    const lines = told([...weak, registered]);

    // One that talks is not inactive.
    expect(lines).toHaveLength(lifecycle === 'inactive' ? 1 : 0);
  });

  it('is nobody that is not registered', () => {
    expect(fold(weak)).toEqual([]);
  });

  it('is ended by an unbind, though the terminal is silent', () => {
    const unbound = binding(MONDAY + HOUR, { op: 'unbind', sn: serial(1) });

    expect(told([...weak, unbound, tick(MONDAY + 2 * HOUR)]).map((line) => line.split(' ')[1])).toEqual(['fired', 'resolved']);
  });

  it('is told with its merchant and site, its reading, edges and cell', () => {
    const value = { rat: 'lte', rsrp: -108, sinr: 14, mcc: '460', mnc: '00', lac: '9CBA', cell: '0076C6C' };
    const { subject, evidence, remedy } = fired(levels([value, value, value]));

    expect(subject).toMatchObject({ acquirer: 'acme', merchant: 'm-1', terminal: serial(1) });
    expect(evidence.map(({ what, value, limit }) => [what, value, limit])).toEqual([
      ['rat', 'lte', undefined],
      ['rsrp', -108, -105],
      ['sinr', 14, 3],
      ['cell', '460-00-9cba-76c6c', undefined],
    ]);
    expect(remedy.length).toBe(2);
  });
});

/** What JSON would not give back. */
function unsavable(value: unknown, path = ''): string[] {
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([name, v]) => unsavable(v, `${path}.${name}`));
  return value === undefined || (typeof value === 'number' && !Number.isFinite(value)) ? [path] : [];
}

describe('whatever terminals say', () => {
  const dB = fc.oneof(
    fc.integer({ min: -200, max: 50 }),
    fc.constantFrom(-200, -256, 0, 99, 127, 255, -30.5, 1e9),
    fc.double({ min: -130, max: 0, noNaN: true }),
  );
  const rat = fc.constantFrom('gsm', 'umts', 'lte', 'nr', 'wifi', 'none', undefined);
  const anySignal = fc.record(
    { rat, rsrp: dB, rsrq: dB, sinr: dB, rssi: dB, rscp: dB, ecno: dB, noise: dB, cell: fc.constantFrom('0', 'FFFF', 'zz', '1a') },
    { requiredKeys: [] },
  );
  const anySample = fc.record(
    {
      offset: fc.integer({ min: -3 * HOUR, max: 6 * MINUTE }),
      signal: anySignal,
      radio: fc.record(
        { seconds: fc.nat(600), reads: fc.nat(9), unknown: fc.nat(9), rsrpMedian: dB, moving: fc.boolean() },
        { requiredKeys: [] },
      ),
      place: fc.record({ lat: fc.double({ min: -90, max: 90, noNaN: true }), lon: fc.double({ min: -180, max: 180, noNaN: true }) }),
      link: fc.record({ reconnects: fc.nat(5) }),
    },
    { requiredKeys: ['offset'] },
  );
  const anyReports = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 * MINUTE }), fc.array(anySample, { minLength: 1, maxLength: 6 })), {
    maxLength: 40,
  });

  it('leaves a state that survives being saved, and alerts with a cause and finite evidence', () => {
    fc.assert(
      fc.property(anyReports, fc.boolean(), (reports, sparse) => {
        const watch = new Watch();
        let at = MONDAY;
        const lines = reports.map(([pause, taken], n) => {
          at += pause;
          return batch(
            at,
            n,
            taken.map(({ offset, ...rest }) => ({ at: at + offset, ...JSON.parse(JSON.stringify(rest)) })),
          );
        });

        const transitions = [...shop({ sparse }), ...lines].flatMap((line) => watch.step(entry(line)).transitions);

        for (const { alert } of transitions) {
          expect(alert.confidence).toBeGreaterThanOrEqual(0);
          for (const { value } of alert.evidence) expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        }
        const { coverage } = watch.state.terminals.get(`acme/${serial(1)}`)!;
        expect(unsavable(coverage)).toEqual([]);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('never warns of a signal that is good, and always of one that is weak throughout', () => {
    const good = fc.array(fc.integer({ min: -90, max: -82 }), { minLength: 10, maxLength: 80 });
    const weak = fc.array(fc.integer({ min: -125, max: -106 }), { minLength: 10, maxLength: 80 });

    fc.assert(
      fc.property(good, weak, (goods, weaks) => {
        expect(told(levels(goods))).toEqual([]);
        expect(told(levels(weaks)).filter((line) => line.includes(' fired '))).toHaveLength(1);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});
