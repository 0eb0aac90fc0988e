import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { epochMs, label } from '../protocol/schemas/common.ts';
import { DEFAULT_INTERVAL_SECONDS, DEFAULT_KEEPALIVE_SECONDS } from '../protocol/schemas/messages.ts';
import { ACQUIRER_PATTERN, SN_PATTERN } from '../protocol/topics.ts';
import { briefly } from './errors.ts';
import { type BrokerAddress, parseBrokerUrl } from './uplink/address.ts';

export interface AgentConfig {
  /** The broker. */
  address: BrokerAddress;
  acquirer: string;
  sn: string;
  token: string;
  /** The folder of the outboxes: each terminal has its own inside. */
  outbox: string;
  /** Seconds between two reports. */
  interval: number;
  /** Seconds, as MQTT has it. */
  keepalive: number;
  merchant?: string | undefined;
  site?: string | undefined;
  tid?: string | undefined;
  model?: string | undefined;
  /** A CSV file to play in place of this machine's own state. */
  trace?: string | undefined;
  /** Seconds of the trace that pass in one second; 0 is as fast as possible. */
  speed: number;
  /** Shifts the trace so that it begins at this time, epoch milliseconds, or when the agent starts. Unset, its samples keep their times. */
  traceStart?: number | 'now' | undefined;
}

export type ConfigResult = { ok: true; value: AgentConfig } | { ok: false; problems: string[] };

/** The settings' names in the environment; `TILLWATCH_AGENT_TOKEN_FILE` names a file with the token. */
export const AGENT_SETTINGS = {
  address: 'TILLWATCH_AGENT_URL',
  acquirer: 'TILLWATCH_AGENT_ACQUIRER',
  sn: 'TILLWATCH_AGENT_SN',
  token: 'TILLWATCH_AGENT_TOKEN',
  outbox: 'TILLWATCH_AGENT_OUTBOX',
  interval: 'TILLWATCH_AGENT_INTERVAL',
  keepalive: 'TILLWATCH_AGENT_KEEPALIVE',
  merchant: 'TILLWATCH_AGENT_MERCHANT',
  site: 'TILLWATCH_AGENT_SITE',
  tid: 'TILLWATCH_AGENT_TID',
  model: 'TILLWATCH_AGENT_MODEL',
  trace: 'TILLWATCH_AGENT_TRACE',
  speed: 'TILLWATCH_AGENT_SPEED',
  traceStart: 'TILLWATCH_AGENT_TRACE_START',
} as const satisfies Record<keyof AgentConfig, string>;

/** What is in force where a setting is unset. */
export const AGENT_DEFAULTS = {
  outbox: './tillwatch-outbox',
  interval: DEFAULT_INTERVAL_SECONDS,
  keepalive: DEFAULT_KEEPALIVE_SECONDS,
  speed: 1,
} as const satisfies Partial<AgentConfig>;

const TOKEN_FILE = 'TILLWATCH_AGENT_TOKEN_FILE';

const ID_RULE = { error: 'must be 1 to 128 characters' };
const text = z.optional(z.string().check(z.refine((v) => label.safeParse(v).success, ID_RULE)));

const schema = z.object({
  address: z.pipe(
    z.string('is missing: set it to mqtt://host:port or mqtts://host:port'),
    z.transform((value: string, context) => {
      const address = parseBrokerUrl(value);
      if (address) return address;
      context.issues.push({
        code: 'custom',
        input: value,
        message: 'must be mqtt://host:port or mqtts://host:port, without a user or a password',
      });
      return z.NEVER;
    }),
  ),
  acquirer: z.string('is missing').check(z.regex(ACQUIRER_PATTERN, 'must be 1 to 32 of a-z, 0-9 and -')),
  sn: z.string('is missing').check(z.regex(SN_PATTERN, 'must be 4 to 32 letters, digits and -')),
  token: z.string(`is missing: set it, or ${TOKEN_FILE}, to what \`tillwatch enroll\` printed`),
  outbox: z._default(z.string(), AGENT_DEFAULTS.outbox),
  interval: numberFrom(AGENT_DEFAULTS.interval, z.int().check(z.gte(1), z.lte(86_400)), 'must be whole seconds from 1 to 86400'),
  keepalive: numberFrom(AGENT_DEFAULTS.keepalive, z.int().check(z.gte(5), z.lte(1_200)), 'must be whole seconds from 5 to 1200'),
  merchant: text,
  site: text,
  tid: text,
  model: text,
  trace: z.optional(z.string()),
  speed: numberFrom(AGENT_DEFAULTS.speed, z.number().check(z.gte(0)), 'must be a number from 0: 1 is real time, 0 as fast as possible'),
  traceStart: z.optional(
    z.pipe(
      z
        .string()
        .check(z.refine((v) => startOf(v) !== undefined, 'must be "now", epoch milliseconds, or a time such as 2025-11-22T08:00:00Z')),
      z.transform((v: string) => startOf(v)),
    ),
  ),
});

/** Reads the agent's settings. A blank one counts as unset. All mistakes are told at once, each with its name; none shows a secret. */
export function agentConfigFromEnv(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const raw: Record<string, string> = {};
  for (const [key, name] of Object.entries(AGENT_SETTINGS)) {
    const value = env[name]?.trim();
    if (value) raw[key] = value;
  }
  const problems = readTokenFile(env, raw);
  const result = schema.safeParse(raw);
  const issues = (result.error?.issues ?? []).filter(({ path }) => !(path[0] === 'token' && problems.length > 0));
  problems.push(...issues.map(({ path, message }) => `${AGENT_SETTINGS[path[0] as keyof AgentConfig]} ${message}`));
  return result.success && problems.length === 0 ? { ok: true, value: result.data } : { ok: false, problems };
}

function readTokenFile(env: Readonly<Record<string, string | undefined>>, raw: Record<string, string>): string[] {
  const path = env[TOKEN_FILE]?.trim();
  if (!path) return [];
  if (raw.token) return [`${TOKEN_FILE} and ${AGENT_SETTINGS.token} are both set: choose one`];
  try {
    raw.token = readFileSync(path, 'utf8').trim();
    return raw.token === '' ? [`${TOKEN_FILE} names an empty file`] : [];
  } catch (error) {
    return [`${TOKEN_FILE} cannot be read (${briefly(error)})`];
  }
}

function numberFrom(byDefault: number, range: z.ZodMiniType<number, number>, message: string) {
  const isGood = (value: string) => range.safeParse(Number(value)).success;
  return z._default(z.pipe(z.string().check(z.refine(isGood, message)), z.transform(Number)), byDefault);
}

function startOf(value: string): number | 'now' | undefined {
  if (value === 'now') return value;
  const at = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  return epochMs.safeParse(at).success ? at : undefined;
}
