import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Datum } from '../../../protocol/schemas/common.ts';
import { fromWgs84 } from '../../../watch/fleet/datums.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  bind,
  binding,
  birth,
  entry,
  fold,
  HOUR,
  type Line,
  MINUTE,
  MONDAY,
  report,
  SEED,
  serial,
  terminal,
  unbind,
} from '../support/log.ts';
import { at } from '../support/moments.ts';

const SN = serial(1);
const TIANANMEN = { lat: 39.9087, lon: 116.3975 };
const BERLIN = { lat: 52.5163, lon: 13.3777 };
const METERS_A_DEGREE = 111_195;

type Place = { lat: number; lon: number; datum?: Datum; accuracy?: number };

/** So many metres to the north of a place. */
const north = (meters: number, of: Place = TIANANMEN): Place => ({ ...of, lat: of.lat + meters / METERS_A_DEGREE });
const registered = (row: Record<string, unknown> = {}, when = MONDAY): Line => terminal(when, SN, { ...TIANANMEN, datum: 'wgs84', ...row });

/** A report that comes at minute `m`, with a sample for each place, the last of them then and the others a minute before each other. */
function fixes(m: number, ...places: (Place | null)[]): Line {
  const samples = places.map((place, n) => ({
    at: at(m) - (places.length - 1 - n) * MINUTE,
    ...(place && { place: { datum: 'wgs84', accuracy: 20, ...place } }),
  }));
  return { ...report(at(m), m), payload: { v: 1, session: 's1', seq: m, samples } };
}

/** What the log tells of places, with the minute. */
function told(...lines: Line[]): string[] {
  return fold(lines)
    .filter(({ alert }) => alert.type === 'place.moved')
    .map(({ at: when, transition, alert }) => `${(when - MONDAY) / MINUTE} ${transition} ${alert.severity} ${alert.cause}`);
}

const MOVED = 'fired critical relocated';

describe('a fixed terminal', () => {
  it('more than 500 m from its place in two fixes ten minutes apart has moved', () => {
    expect(told(registered(), fixes(1, north(510)), fixes(11, north(510)))).toEqual([`11 ${MOVED}`]);
  });

  it('has moved whatever the fixes between the two say, as long as they are away too', () => {
    const away = [1, 4, 7, 10, 13].map((m) => fixes(m, north(800 + m)));

    expect(told(registered(), ...away)).toEqual([`13 ${MOVED}`]);
  });

  it('has not moved by 490 m, nor by fixes that are less than ten minutes apart', () => {
    expect(told(registered(), fixes(1, north(490)), fixes(21, north(490)))).toEqual([]);
    expect(told(registered(), fixes(1, north(2_000)), fixes(10, north(2_000)))).toEqual([]);
  });

  it('has not moved where a fix between the two was at its place', () => {
    expect(told(registered(), fixes(1, north(2_000)), fixes(6, north(10)), fixes(11, north(2_000)))).toEqual([]);
  });

  it('has moved only by more than three times the accuracy of the fix', () => {
    expect(told(registered(), fixes(1, { ...north(1_500), accuracy: 510 }), fixes(12, { ...north(1_500), accuracy: 510 }))).toEqual([]);
    expect(told(registered(), fixes(1, { ...north(1_500), accuracy: 490 }), fixes(12, { ...north(1_500), accuracy: 490 }))).toHaveLength(1);
  });

  it('is neither here nor there by a fix whose accuracy does not tell', () => {
    const vague = fixes(6, { ...north(2_000), accuracy: 9_000_000 });

    expect(told(registered(), fixes(1, north(2_000)), vague, fixes(11, north(2_000)))).toEqual([`11 ${MOVED}`]);
  });

  it('has moved by a fix without an accuracy', () => {
    const bare = { ...north(600), accuracy: undefined } as unknown as Place;

    expect(told(registered(), fixes(1, bare), fixes(11, bare))).toEqual([`11 ${MOVED}`]);
  });

  it('that moved on is the same alert', () => {
    expect(told(registered(), ...[1, 11, 21, 31].map((m) => fixes(m, north(1_000 * m))))).toEqual([`11 ${MOVED}`]);
  });

  it('is back with its second fix in a row within 300 m', () => {
    const gone = [registered(), fixes(1, north(2_000)), fixes(11, north(2_000))];

    expect(told(...gone, fixes(12, north(290)), fixes(13, north(290)))).toEqual([`11 ${MOVED}`, '13 resolved critical relocated']);
    expect(told(...gone, fixes(12, north(290)))).toHaveLength(1);
    expect(told(...gone, ...[12, 13, 14].map((m) => fixes(m, north(310))))).toHaveLength(1);
    expect(told(...gone, fixes(12, north(0)), fixes(13, north(2_000)), fixes(14, north(0)))).toHaveLength(1);
  });

  it('that is back and goes again is a new alert, ten minutes later', () => {
    const gone = [registered(), fixes(1, north(2_000)), fixes(11, north(2_000)), fixes(12, north(0)), fixes(13, north(0))];

    expect(told(...gone, fixes(14, north(900)), fixes(24, north(900))).slice(2)).toEqual([`24 ${MOVED}`]);
  });

  it('says how far, how exactly, where, since when and for what place', () => {
    const [fired] = fold([registered(), fixes(1, north(2_000)), fixes(11, north(2_000))]);

    expect(fired!.alert).toMatchObject({
      reason: 'moved',
      subject: { acquirer: 'acme', merchant: 'm-1', terminal: SN },
      confidence: 1,
      evidence: [
        { what: 'distance_meters', value: 2000, limit: 500, at: at(11) },
        { what: 'accuracy_meters', value: 20, at: at(11) },
        { what: 'fix', value: '39.926686,116.3975 wgs84', at: at(11) },
        { what: 'registered_place', value: '39.9087,116.3975 wgs84', at: at(11) },
        { what: 'away_since', value: at(1), at: at(1) },
      ],
    });
    expect(fired!.alert.remedy).toHaveLength(1);
  });
});

describe('a new registered place', () => {
  const gone = [registered(), fixes(1, north(2_000)), fixes(11, north(2_000))];

  it('ends the alert, wherever it is', () => {
    expect(told(...gone, registered(north(2_000), at(20)), fixes(30, north(2_000)))).toEqual([
      `11 ${MOVED}`,
      '20 resolved critical relocated',
    ]);
    expect(told(...gone, registered(north(9_000), at(20)))).toHaveLength(2);
  });

  it('is what later fixes are held against', () => {
    const again = [fixes(21, north(2_000)), fixes(31, north(2_000))];

    expect(told(...gone, registered(north(9_000), at(20)), ...again).at(-1)).toBe(`31 ${MOVED}`);
  });

  it('that is the old one, imported once more, changes nothing', () => {
    expect(told(...gone, registered({}, at(20)))).toEqual([`11 ${MOVED}`]);
    expect(told(registered(), fixes(1, north(2_000)), registered({ tid: '10000001' }, at(5)), fixes(11, north(2_000)))).toHaveLength(1);
  });

  it('that is none ends it, too', () => {
    expect(told(...gone, terminal(at(20), SN)).at(-1)).toBe('20 resolved critical relocated');
  });
});

describe('nobody is told', () => {
  const away = [fixes(1, north(2_000)), fixes(11, north(2_000)), fixes(21, north(2_000))];

  it.each([
    ['a mobile terminal, by the registry', [registered({ use: 'mobile' })]],
    ['a mobile terminal, by its birth', [registered(), birth(MONDAY, { use: 'mobile' })]],
    ['a mobile terminal by its birth that the registry calls fixed', [registered({ use: 'fixed' }), birth(MONDAY, { use: 'mobile' })]],
    ['a terminal without a registered place', [terminal(MONDAY, SN)]],
    ['a terminal with half of one', [terminal(MONDAY, SN, { lat: 39.9 })]],
    ['a terminal registered at 0° N, 0° E', [registered({ lat: 0, lon: 0 })]],
    ['a terminal that nobody registered', []],
    ['one that is blacklisted', [registered({ lifecycle: 'blacklisted' })]],
    ['one that was swapped out', [registered({ lifecycle: 'swapped_out' })]],
    ['one that was unbound', [registered(), unbind(MONDAY, SN)]],
  ])('of %s', (_, start) => {
    expect(told(...start, ...away)).toEqual([]);
  });

  it('of one that is bound to another site, whose place no bind gives', () => {
    expect(told(registered({ site: 's-1' }), bind(MONDAY + 1, SN, 'm-2'), ...away)).toEqual([]);
  });

  it('of the place of a broken terminal that is carried off, but of the new one that was bound in its place', () => {
    const swap = binding(MONDAY + 1, { op: 'swap', old_sn: SN, new_sn: serial(2) });
    const moved = (line: Line): Line => ({ ...line, topic: `pos/v1/acme/${serial(2)}/report` });

    expect(told(registered(), swap, ...away)).toEqual([]);
    expect(told(registered(), swap, ...away.map(moved))).toEqual([`11 ${MOVED}`]);
  });

  it('of fixes at 0° N, 0° E, where there is water and modules say that they failed', () => {
    const failed: Place[] = [
      { lat: 0, lon: 0 },
      { lat: 5e-324, lon: 5e-324, datum: 'bd09' },
      { lat: 0.006, lon: 0.0065, datum: 'bd09' },
    ];
    const log = failed.flatMap((place, n) => [fixes(1 + 30 * n, place), fixes(20 + 30 * n, place)]);

    expect(told(registered(), ...log)).toEqual([]);
  });

  it('of latitude and longitude taken for each other, in a fix or in the registry', () => {
    const turned = { lat: BERLIN.lon, lon: BERLIN.lat };

    expect(told(registered(BERLIN), fixes(1, turned), fixes(20, turned))).toEqual([]);
    expect(told(registered(turned), fixes(1, BERLIN), fixes(20, BERLIN))).toEqual([]);
  });

  it('of fixes that come over an hour late: they are history', () => {
    const late = (m: number): Line => ({
      ...report(at(m), m),
      payload: { v: 1, session: 's1', seq: m, samples: [{ at: at(m) - HOUR - MINUTE, place: { ...north(2_000), datum: 'wgs84' } }] },
    });

    expect(told(registered(), late(100), late(120), late(140))).toEqual([]);
  });

  it('of fixes that were overtaken by newer ones, which say that it is back', () => {
    const backlog = { ...fixes(62, north(2_000)), at: at(64) };
    const older = { ...fixes(52, north(2_000)), at: at(65) };

    expect(told(registered(), fixes(63, north(0)), backlog, older)).toEqual([]);
  });

  it('of a batch that begins away and ends at its place', () => {
    const there = Array<Place>(15).fill(north(2_000));

    expect(told(registered(), fixes(30, ...there, north(0), north(0)))).toEqual([]);
    expect(told(registered(), fixes(30, north(0), north(0), ...there))).toEqual([`30 ${MOVED}`]);
  });
});

describe('an alert ends', () => {
  const gone = [registered(), fixes(1, north(2_000)), fixes(11, north(2_000))];

  it.each([
    ['where the terminal turns out to be mobile', birth(at(20), { use: 'mobile' })],
    ['where it is registered as mobile', registered({ use: 'mobile' }, at(20))],
    ['where it is unbound', unbind(at(20), SN)],
    ['where it is blacklisted', registered({ lifecycle: 'blacklisted' }, at(20))],
  ])('%s', (_, line) => {
    expect(told(...gone, line).at(-1)).toBe('20 resolved critical relocated');
  });
});

describe('a place in another datum', () => {
  const DATUMS: Datum[] = ['wgs84', 'gcj02', 'bd09'];
  const pairs = DATUMS.flatMap((a) => DATUMS.map((b) => [a, b] as const));
  const as = (place: Place, datum: Datum): Place => ({ ...fromWgs84(place, datum), datum });

  it.each(pairs)('is the same place: registered in %s, fixes in %s', (mine, yours) => {
    const log = (meters: number) => [registered(as(TIANANMEN, mine)), ...[1, 11].map((m) => fixes(m, as(north(meters), yours)))];

    expect(told(...log(480))).toEqual([]);
    expect(told(...log(520))[0]).toMatch(/^11 fired/);
  });

  it.each(pairs)('that names none is held against each: registered in %s, fixes in %s', (mine, yours) => {
    const nameless = (datum: Datum) => ({ ...as(TIANANMEN, datum), datum: '' });
    const fix = as(TIANANMEN, yours);

    expect(told(registered(nameless(mine)), fixes(1, fix), fixes(11, fix))).toEqual([]);
  });

  it('that a fix does not name is held against each, too, and is away where it is in none of them', () => {
    const nameless = (meters: number) => ({ ...as(north(meters), 'bd09'), datum: undefined }) as unknown as Place;

    expect(told(registered(), fixes(1, nameless(0)), fixes(11, nameless(0)))).toEqual([]);
    expect(told(registered(), fixes(1, nameless(5_000)), fixes(11, nameless(5_000)))).toEqual([`11 ${MOVED}`]);
  });

  it('that is named wrongly is told as what may be a mistake', () => {
    const mistaken = fold([registered({ ...as(TIANANMEN, 'gcj02'), datum: 'wgs84' }), fixes(1, TIANANMEN), fixes(11, TIANANMEN)]);

    expect(mistaken.map(({ alert }) => [alert.cause, alert.confidence])).toEqual([['misconfiguration', 0.5]]);
    expect(mistaken[0]!.alert.evidence).toContainEqual({ what: 'registered_place_fits_as', value: 'gcj02', at: at(11) });
    expect(mistaken[0]!.alert.remedy).toHaveLength(2);
  });
});

describe('a terminal that leaves out what has not changed', () => {
  const sparse = birth(MONDAY, { sparse: true });

  it('is where it was while it says nothing of it', () => {
    expect(told(registered(), sparse, fixes(1, north(2_000)), fixes(11, null))).toEqual([`11 ${MOVED}`]);
    expect(told(registered(), sparse, fixes(11, north(2_000), ...Array<null>(10).fill(null)))).toEqual([`11 ${MOVED}`]);
  });

  it('has said nothing yet in a new session', () => {
    const reborn = birth(at(5), { sparse: true, session: 's2' }, { session: 's2' });
    const later = { ...fixes(11, null), payload: { v: 1, session: 's2', seq: 1, samples: [{ at: at(11) }] } };

    expect(told(registered(), sparse, fixes(1, north(2_000)), reborn, later)).toEqual([]);
  });

  it('is not one that simply has no fix', () => {
    expect(told(registered(), birth(MONDAY), fixes(1, north(2_000)), fixes(11, null))).toEqual([]);
  });
});

describe('whatever comes', () => {
  const step = fc.record({
    wait: fc.integer({ min: 1, max: 15 }),
    meters: fc.constantFrom(0, 250, 400, 700, 3_000),
    accuracy: fc.constantFrom(5, 300),
  });

  it('an alert fires by the second of fixes in a row that are away, ten minutes after the first, and by no other', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const watch = new Watch();
        watch.step(entry(registered()));
        let m = 0;
        let awaySince: number | null = null;
        for (const { wait, meters, accuracy } of steps) {
          m += wait;
          const isAway = meters > 500 && meters > 3 * accuracy;
          if (isAway) awaySince ??= m;
          else if (meters <= 500) awaySince = null;
          const { transitions } = watch.step(entry(fixes(m, { ...north(meters), accuracy })));
          const fired = transitions.some(({ transition }) => transition === 'fired');
          if (fired) expect(awaySince !== null && isAway && m - awaySince >= 10).toBe(true);
          if (isAway && m - awaySince! >= 10) expect([...watch.state.alerts.values()].map(({ type }) => type)).toContain('place.moved');
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
