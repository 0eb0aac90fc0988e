import * as z from 'zod/mini';
import type { UpChannel } from '../topics.ts';
import { count, epochMs, label, ratio, seq, session, timeZone, version } from './common.ts';
import { expectedWeek } from './expected.ts';
import { sample } from './sample.ts';

/** What holds where a terminal has told nothing of itself: seconds. */
export const DEFAULT_INTERVAL_SECONDS = 300;
export const DEFAULT_KEEPALIVE_SECONDS = 330;

const SECONDS = 'whole seconds, 1 to 86400';

/** Between two reports. */
export const interval = z.int(SECONDS).check(z.gte(1, SECONDS), z.lte(86_400, SECONDS));

/** After every connect: which session this is, who the terminal is, and what it will report. */
export const birth = z.object({
  v: version,
  session,
  at: epochMs,
  merchant: z.optional(label),
  site: z.optional(label),
  tid: z.optional(label),
  model: z.optional(label),
  app: z.optional(label),
  interval: z._default(interval, DEFAULT_INTERVAL_SECONDS),
  keepalive: z._default(z.int().check(z.gte(5), z.lte(1_200)), DEFAULT_KEEPALIVE_SECONDS),
  sparse: z.optional(z.boolean()),
  expected: z.optional(z.object({ tz: timeZone, week: expectedWeek })),
  use: z.optional(z.enum(['fixed', 'mobile'])),
  peripheralLimit: z.optional(count),
  sim: z.optional(
    z.object({ iccid: z.optional(label), planBytes: z.optional(count), resetDay: z.optional(z.int().check(z.gte(1), z.lte(31))) }),
  ),
});

/** `lost` is the Will: the broker says it for a terminal that went without a word, and it has no `at`. */
export const state = z.object({ v: version, session, at: z.optional(epochMs), state: z.enum(['online', 'goodbye', 'lost']) });

export const MAX_SAMPLES = 4096;

export const report = z.object({
  v: version,
  session,
  seq,
  samples: z.array(sample).check(z.minLength(1), z.maxLength(MAX_SAMPLES)),
});

export const EVENTS = [
  'coverage.weakening',
  'coverage.recovered',
  'power.low',
  'power.mains_lost',
  'power.mains_back',
  'sim.changed',
  'binding.changed',
  'update.started',
  'update.finished',
  'clock.stepped',
  'shutdown',
] as const;

const eventData = z.object({
  risk: z.optional(ratio),
  cause: z.optional(label),
  cell: z.optional(label),
  rsrp: z.optional(z.number()),
  rsrq: z.optional(z.number()),
  sinr: z.optional(z.number()),
  battery: z.optional(ratio),
  app: z.optional(label),
  bound: z.optional(count),
  iccid: z.optional(label),
  ms: z.optional(z.number()),
});

/** What cannot wait for the next report. */
export const event = z.object({ v: version, session, seq, at: epochMs, type: z.enum(EVENTS), data: z.optional(eventData) });

export const COMMANDS = ['rebirth', 'report_now', 'set_interval', 'diagnose', 'rotate'] as const;

export const command = z.object({
  v: version,
  id: label,
  type: z.enum(COMMANDS),
  args: z.optional(z.record(z.string(), z.unknown())),
  expires: z.optional(epochMs),
});

/** The error of an ack where the terminal does not know such a command. */
export const NOT_SUPPORTED = 'not supported';

export const ack = z.object({ v: version, id: label, ok: z.boolean(), error: z.optional(z.nullable(z.string().check(z.maxLength(1024)))) });

export const upSchemas = { birth, report, event, state, ack } satisfies Record<UpChannel, z.ZodMiniType>;

export type Birth = z.infer<typeof birth>;
export type State = z.infer<typeof state>;
export type Report = z.infer<typeof report>;
export type Command = z.infer<typeof command>;
export type Ack = z.infer<typeof ack>;

/** A message that a terminal sent, decoded: its channel says what its body is. */
export type Message = { [C in UpChannel]: { channel: C; body: z.infer<(typeof upSchemas)[C]> } }[UpChannel];
