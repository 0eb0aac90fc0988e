/** Whatever terminals may send, as fast-check arbitraries. */
import fc from 'fast-check';
import { EVENTS } from '../../protocol/schemas/messages.ts';
import { CARDS, KINDS, RATS } from '../../protocol/schemas/sample.ts';

/** Every property runs on the same cases each time. */
export const SEED = 20_251_122;

const at = fc.integer({ min: 0, max: 253_402_300_799_999 });
const count = fc.integer({ min: 0, max: 2 ** 48 });
const label = fc.string({ minLength: 1, maxLength: 24 });
const ratio = fc.double({ min: 0, max: 1, noNaN: true }).map((v) => v + 0);
const seconds = fc.integer({ min: 0, max: 86_400 });
const dBm = fc.integer({ min: -140, max: -20 });
const dB = fc.integer({ min: -24, max: 40 });
const session = fc.string({ minLength: 1, maxLength: 26 });
const hex = fc.integer({ min: 1, max: 2 ** 28 }).map((n) => n.toString(16));

/** A group with at least one member: one without says nothing, and columns leave it out. */
function group(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  return fc.record(members, { requiredKeys: [] }).filter((g) => Object.keys(g).length > 0);
}

const slots = group({ bound: count, limit: count });

export const sample = fc.record(
  {
    at,
    signal: group({
      rat: fc.constantFrom(...RATS),
      rsrp: dBm,
      rsrq: dB,
      sinr: dB,
      rssi: dBm,
      noise: dBm,
      mcc: fc.constant('460'),
      lac: hex,
      cell: hex,
    }),
    radio: group({
      seconds,
      reads: count,
      rsrpMin: dBm,
      sinrP10: dB,
      secondsByRat: group({ lte: seconds, none: seconds }),
      risk: ratio,
      moving: fc.boolean(),
    }),
    bindings: group({ terminals: slots, peripherals: slots }),
    outcomes: fc.array(
      fc.record(
        { system: label, code: label, n: count, card: fc.constantFrom(...CARDS), kind: fc.constantFrom(...KINDS) },
        { requiredKeys: ['system', 'code', 'n'] },
      ),
      { maxLength: 4 },
    ),
    sim: group({ usedBytes: count }),
    power: group({ battery: ratio, mains: fc.boolean() }),
    link: group({ reconnects: count, connectedSeconds: seconds }),
  },
  { requiredKeys: ['at'] },
);

export const report = fc.record({ v: fc.constant(1), session, seq: count, samples: fc.array(sample, { minLength: 1, maxLength: 12 }) });

export const event = fc.record(
  {
    v: fc.constant(1),
    session,
    seq: count,
    at,
    type: fc.constantFrom(...EVENTS),
    data: fc.record({ risk: ratio, cell: label }, { requiredKeys: [] }),
  },
  { requiredKeys: ['v', 'session', 'seq', 'at', 'type'] },
);

export const state = fc.record(
  { v: fc.constant(1), session, at, state: fc.constantFrom('online', 'goodbye', 'lost') },
  { requiredKeys: ['v', 'session', 'state'] },
);

export const birth = fc.record(
  {
    v: fc.constant(1),
    session,
    at,
    merchant: label,
    app: label,
    interval: fc.integer({ min: 1, max: 86_400 }),
    keepalive: fc.integer({ min: 5, max: 1200 }),
  },
  { requiredKeys: ['v', 'session', 'at', 'interval', 'keepalive'] },
);

export const ack = fc.record({ v: fc.constant(1), id: label, ok: fc.boolean(), error: fc.option(fc.string({ maxLength: 50 })) });

/** A valid message of each channel that goes up. */
export const message = fc.oneof(
  fc.record({ channel: fc.constant('birth' as const), body: birth }),
  fc.record({ channel: fc.constant('report' as const), body: report }),
  fc.record({ channel: fc.constant('event' as const), body: event }),
  fc.record({ channel: fc.constant('state' as const), body: state }),
  fc.record({ channel: fc.constant('ack' as const), body: ack }),
);

/** fast-check makes objects without a prototype; JSON gives plain ones. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
