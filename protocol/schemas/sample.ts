import * as z from 'zod/mini';
import { count, datum, epochMs, label, ratio, seconds } from './common.ts';

const dBm = z.number().check(z.gte(-200), z.lte(50));
const dB = z.number().check(z.gte(-100), z.lte(100));

/** A location area or cell id as the modem prints it, hexadecimal as a rule. */
const areaCode = z.string().check(z.regex(/^[0-9A-Za-z]{1,16}$/));

export const RATS = ['gsm', 'umts', 'lte', 'nr', 'wifi', 'none'] as const;
export const rat = z.enum(RATS);
export type Rat = z.infer<typeof rat>;

/**
 * What the modem said of the radio. dBm: rsrp, rssi, rscp, noise. dB: rsrq, sinr, ecno. On `nr` the values are the SS- ones.
 * What a modem marks as unknown is absent, never a number.
 */
export const signal = z.object({
  rat: z.optional(rat),
  rsrp: z.optional(dBm),
  rsrq: z.optional(dB),
  sinr: z.optional(dB),
  rssi: z.optional(dBm),
  rscp: z.optional(dBm),
  ecno: z.optional(dB),
  noise: z.optional(dBm),
  mcc: z.optional(z.string().check(z.regex(/^\d{3}$/))),
  mnc: z.optional(z.string().check(z.regex(/^\d{2,3}$/))),
  lac: z.optional(areaCode),
  cell: z.optional(areaCode),
});

const secondsByRat = z.partial(
  z.object({ gsm: seconds, umts: seconds, lte: seconds, nr: seconds, wifi: seconds, none: seconds } satisfies Record<Rat, unknown>),
);

/** The radio over the whole interval: one sample a second, summed up on the terminal. */
const radio = z.object({
  seconds: z.optional(seconds),
  reads: z.optional(count),
  unknown: z.optional(count),
  rsrpMin: z.optional(dBm),
  rsrpP10: z.optional(dBm),
  rsrpMedian: z.optional(dBm),
  rsrpLast: z.optional(dBm),
  sinrP10: z.optional(dB),
  sinrMedian: z.optional(dB),
  rsrqMedian: z.optional(dB),
  weakSeconds: z.optional(seconds),
  criticalSeconds: z.optional(seconds),
  noisySeconds: z.optional(seconds),
  cellChanges: z.optional(count),
  secondsByRat: z.optional(secondsByRat),
  risk: z.optional(ratio),
  moving: z.optional(z.boolean()),
});

const slots = z.object({ bound: z.optional(count), limit: z.optional(count) });

export const CARDS = ['credit', 'debit', 'prepaid', 'wallet', 'other'] as const;
export const KINDS = ['sale', 'refund', 'transfer', 'bill_pay', 'top_up', 'preauth', 'other'] as const;

/** How often one result came since the sample before. `system` is the code's table: the key is (system, code), never the code alone. */
const outcome = z.object({
  system: label,
  code: label,
  n: count,
  card: z.optional(z.enum(CARDS)),
  kind: z.optional(z.enum(KINDS)),
});

const place = z.object({
  lat: z.number().check(z.gte(-90), z.lte(90)),
  lon: z.number().check(z.gte(-180), z.lte(180)),
  datum: z.optional(datum),
  accuracy: z.optional(z.number().check(z.gte(0), z.lte(10_000_000))),
});

/** One look at the terminal, at its own clock's `at`. Every member but `at` may be absent. */
export const sample = z.object({
  at: epochMs,
  signal: z.optional(signal),
  radio: z.optional(radio),
  bindings: z.optional(z.object({ terminals: z.optional(slots), peripherals: z.optional(slots) })),
  outcomes: z.optional(z.array(outcome).check(z.maxLength(1000))),
  sim: z.optional(z.object({ usedBytes: z.optional(count) })),
  place: z.optional(place),
  power: z.optional(z.object({ battery: z.optional(ratio), mains: z.optional(z.boolean()) })),
  link: z.optional(z.object({ reconnects: z.optional(count), registrations: z.optional(count), connectedSeconds: z.optional(seconds) })),
});

export type Signal = z.infer<typeof signal>;
export type Sample = z.infer<typeof sample>;
