/** Logs of a small fleet in which anything may happen, as fast-check arbitraries. */
import fc from 'fast-check';
import {
  ack,
  backlog,
  bind,
  binding,
  birth,
  command,
  DAY,
  goodbye,
  HOUR,
  hadHappened,
  happened,
  type Line,
  MINUTE,
  MONDAY,
  merchant,
  online,
  platform,
  report,
  SECOND,
  said,
  serial,
  terminal,
  tick,
  unbind,
  type Via,
  will,
} from './log.ts';

const HOURS = [undefined, { tz: 'Europe/Berlin', week: Array(7).fill('09:00-17:00') }, { tz: 'UTC', week: Array(7).fill('22:00-04:00') }];

const sn = fc.integer({ min: 1, max: 7 }).map(serial);
const site = fc.constantFrom(undefined, 's-1', 's-2');
const merchantName = fc.constantFrom('m-1', 'm-2');
const via = fc.record({ sn, session: fc.constantFrom('s1', 's2', 's3'), node: fc.constantFrom('', 'a', 'b') });
const seq = fc.integer({ min: 0, max: 30 });
const birthBody = fc
  .record({
    app: fc.constantFrom(undefined, '1.0', '2.0'),
    interval: fc.constantFrom(10, 60, 300),
    keepalive: fc.constantFrom(5, 60),
    expected: fc.constantFrom(...HOURS),
    sparse: fc.constantFrom(undefined, true),
  })
  .map((body) => JSON.parse(JSON.stringify(body)) as Record<string, unknown>);
const radio = fc.constantFrom(
  undefined,
  { rat: 'lte', rsrp: -90, mcc: '460', mnc: '00', lac: '1', cell: 'a' },
  { rat: 'lte', rsrp: -118, mcc: '460', mnc: '01', lac: '1', cell: 'a' },
  { rat: 'wifi', rssi: -60 },
);
const power = fc.constantFrom(undefined, { battery: 0.05, mains: false }, { battery: 0.9, mains: true });
/** How long ago something of a backlog was. */
const age = fc.integer({ min: 0, max: 90 * MINUTE });
const registeredPlace = fc.constantFrom({}, { lat: 52.5, lon: 13.4 }, { lat: 52.52, lon: 13.4 });
const lifecycle = fc.constantFrom('pending', 'active', 'inactive', 'swapped_out', 'blacklisted', 'deleted');
const limit = fc.constantFrom(1, 2, 3, 4, 5, 6, 10);
const commandId = fc.constantFrom('c1', 'c2', 'c3');
const date = fc.constantFrom('2025-11-17', '2025-11-18', '2025-11-19');

const windowId = fc.constantFrom('w1', 'w2', 'w3');
const minutes = fc.constantFrom(-5, 5, 30, 120, undefined);
const later = (at: number, wait: number | undefined) => (wait === undefined ? undefined : at + wait * MINUTE);

/** A silence, maintenance, or the end of one. */
const operatorAction = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom('silence', 'maintenance'),
        fc.option(windowId, { nil: undefined }),
        fc.constantFrom({ acquirer: 'acme' }, { merchant: 'm-1' }, { terminal: serial(2) }, { type: 'place.moved' }, {}),
        minutes,
        minutes,
      )
      .map(([op, id, match, from, until]) => (at: number): Line => {
        const operator = { op, id, match, from: later(at, from), until: later(at, until) };
        const isBackwards = operator.from !== undefined && operator.until !== undefined && operator.until <= operator.from;
        return { at, operator: { ...operator, ...(isBackwards && { from: undefined }) } };
      }),
  },
  {
    weight: 1,
    arbitrary: windowId.map(
      (id) =>
        (at: number): Line => ({ at, operator: { op: 'end', id } }),
    ),
  },
);

/** A report that says where the terminal is. */
function fix(at: number, n: number, { sn, session }: Via, place: { lat: number; lon: number }, sampledAt: number): Line {
  return { ...report(at, n, { sn, session }), payload: { v: 1, session, seq: n, samples: [{ at: sampledAt, place }] } };
}

/** What may stand in a log, given its time. */
const happening: fc.Arbitrary<(at: number) => Line> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(seq, via).map(
      ([s, v]) =>
        (at: number) =>
          report(at, s, v),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(seq, via, fc.constantFrom(0, 0.004, 0.02), fc.constantFrom(0, 20, 2_000_000)).map(
      ([s, v, degrees, old]) =>
        (at: number) =>
          fix(at, s, v, { lat: 52.5 + degrees, lon: 13.4 }, at - old),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(birthBody, via).map(
      ([body, v]) =>
        (at: number) =>
          birth(at, body, v),
    ),
  },
  { weight: 3, arbitrary: via.map((v) => (at: number) => will(at, v)) },
  {
    weight: 3,
    arbitrary: fc.tuple(seq, radio, power, via).map(
      ([s, signal, state, v]) =>
        (at: number) =>
          said(at, s, { signal, power: state }, v),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(seq, fc.constantFrom('power.low', 'power.mains_lost', 'power.mains_back', 'update.started', 'shutdown'), via).map(
      ([s, type, v]) =>
        (at: number) =>
          happened(at, s, type, v),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(seq, fc.array(fc.tuple(age, radio, power), { minLength: 1, maxLength: 4 }), via).map(
      ([s, samples, v]) =>
        (at: number) =>
          backlog(
            at,
            s,
            samples.map(([before, signal, state]) => ({ at: at - before, signal, power: state })),
            v,
          ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(seq, fc.constantFrom('power.mains_lost', 'update.started', 'update.finished', 'shutdown'), age, via).map(
      ([s, type, before, v]) =>
        (at: number) =>
          hadHappened(at, s, type, at - before, v),
    ),
  },
  { weight: 2, arbitrary: via.map((v) => (at: number) => goodbye(at, v)) },
  { weight: 1, arbitrary: via.map((v) => (at: number) => online(at, v)) },
  {
    weight: 1,
    arbitrary: fc.tuple(seq, via).map(
      ([s, v]) =>
        (at: number) =>
          report(at, s, { ...v, replayOf: { at: at - HOUR } }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(commandId, sn, fc.constantFrom(1, MINUTE, 12 * HOUR)).map(
      ([id, s, ms]) =>
        (at: number) =>
          command(at, id, { sn: s, expires: at + ms }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(commandId, sn, fc.boolean()).map(
      ([id, s, ok]) =>
        (at: number) =>
          ack(at, id, { ok }, { sn: s }),
    ),
  },
  { weight: 1, arbitrary: sn.map((s) => (at: number) => ({ at, topic: `pos/v1/acme/${s}/report`, raw: 'e3Rvcm4=' })) },
  {
    weight: 3,
    arbitrary: fc.tuple(sn, merchantName, lifecycle, site, registeredPlace).map(
      ([s, m, l, of, place]) =>
        (at: number) =>
          terminal(at, s, { merchant: m, lifecycle: l, ...(of && { site: of }), ...place }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(sn, merchantName).map(
      ([s, m]) =>
        (at: number) =>
          bind(at, s, m),
    ),
  },
  { weight: 1, arbitrary: sn.map((s) => (at: number) => unbind(at, s)) },
  {
    weight: 1,
    arbitrary: fc.tuple(sn, sn).map(
      ([a, b]) =>
        (at: number) =>
          binding(at, { op: 'swap', old_sn: a, new_sn: b }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ merchant: merchantName, terminal_limit: limit, tz: fc.constantFrom('UTC', 'Asia/Shanghai') })
      .map((row) => (at: number) => merchant(at, row)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ merchant: merchantName, terminal_limit: limit, limit_from: date, limit_reason: fc.constantFrom('', 'regulatory') })
      .map((row) => (at: number) => merchant(at, row)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('x', 'y'), sn, merchantName).map(([i, s, m]) => (at: number) => ({
      ...terminal(at, s, { merchant: m }),
      import: i,
    })),
  },
  { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((i) => (at: number) => ({ at, commit: i })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('broker', 'log', 'store', 'collector'),
        fc.constantFrom('down', 'up', 'up'),
        fc.constantFrom({}, { node: 'a' }),
      )
      .map(
        ([part, state, node]) =>
          (at: number) =>
            platform(at, part, state, node),
      ),
  },
  { weight: 1, arbitrary: fc.constantFrom(-9_000, 20_000).map((ms) => (at: number) => platform(at, 'clock', 'step', { ms })) },
  { weight: 3, arbitrary: operatorAction },
  { weight: 4, arbitrary: fc.constant(tick) },
);

/** How long until the next line: mostly short, at times long, and at times the clock goes back. */
const pause = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 * SECOND }) },
  { weight: 4, arbitrary: fc.integer({ min: MINUTE, max: 40 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: HOUR, max: 9 * HOUR }) },
  { weight: 1, arbitrary: fc.integer({ min: -2 * HOUR, max: -1 }) },
);

/** The fleet is registered and heard, with room for the quota to move, before anything happens. */
const beginning: Line[] = [
  merchant(MONDAY, { terminal_limit: 8 }),
  merchant(MONDAY, { merchant: 'm-2', terminal_limit: 3 }),
  ...[1, 2, 3, 4, 5, 6].map((n) => terminal(MONDAY, serial(n), { site: 's-1', lat: 52.5, lon: 13.4 })),
  ...[1, 2, 3, 4, 5, 6].map((n) => birth(MONDAY + n, {}, { sn: serial(n) })),
];

export function anyLog(maxLength = 120): fc.Arbitrary<Line[]> {
  return fc.array(fc.tuple(pause, happening), { minLength: 10, maxLength }).map((steps) => {
    let at = MONDAY + MINUTE;
    const lines = steps.map(([wait, make]) => {
      at = Math.max(at + wait, MONDAY);
      return make(at);
    });
    return [...beginning, ...lines, tick(at + 3 * HOUR), tick(at + 2 * DAY)];
  });
}
