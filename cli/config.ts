/** The product's settings, from the environment. All mistakes are found at once, before anything starts. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { LIMIT_NAMES, LIMITS, type LimitValues } from '../broker/limits/table.ts';
import { parseRanges, type Range } from '../collector/webhooks/addresses.ts';
import { CliError } from './io.ts';
import { type RulesFile, readRulesFile } from './rules.ts';

export interface Address {
  host: string;
  port: number;
}

export interface Settings {
  dataDir: string;
  mqtt: Address;
  http: Address;
  node: string;
  /** The broker's limits that an operator may set. */
  limits: Partial<LimitValues>;
  /** How many days the logs are kept, and what the brokers' log may take and must leave free, bytes. */
  logDays: number;
  logMaxBytes: number;
  logReserveBytes: number;
  /** How many days quarantine keeps what it has. */
  quarantineDays: number;
  /** The rules that differ from the defaults, and where they stand. */
  rules: (RulesFile & { path: string }) | undefined;
  influx: { url: string; token: string; org: string; bucket: string } | undefined;
  /** Ranges of addresses that webhooks may be delivered to beside the public ones, as text and as read. */
  webhookAllow: { text: string; ranges: Range[] };
  /** The collector that commands talk to, where it is not the one over this data folder. */
  api: { url: string; token: string } | undefined;
}

type Env = Record<string, string | undefined>;

interface Setting {
  name: string;
  default: string;
  help: string;
  /** Its value in force, as text. */
  shown(settings: Settings): string;
  secret?: boolean;
}

const GIB = 1024 ** 3;

const LIMIT_SETTINGS = LIMIT_NAMES.flatMap((limit) => {
  const row = LIMITS[limit];
  return 'setting' in row ? [{ limit, name: row.setting, default: String(row.default), help: `${row.unit}, at most; 0 is no limit` }] : [];
});

export const SETTINGS: readonly Setting[] = [
  { name: 'TILLWATCH_DATA_DIR', default: './tillwatch-data', help: 'the folder with everything that is kept', shown: (s) => s.dataDir },
  {
    name: 'TILLWATCH_MQTT_LISTEN',
    default: '127.0.0.1:1883',
    help: 'where terminals connect, host:port',
    shown: (s) => shownAddress(s.mqtt),
  },
  {
    name: 'TILLWATCH_HTTP_LISTEN',
    default: '127.0.0.1:8080',
    help: 'where the API answers, host:port',
    shown: (s) => shownAddress(s.http),
  },
  { name: 'TILLWATCH_NODE', default: '', help: "this broker's name in the log; default: the host's name", shown: (s) => s.node },
  ...LIMIT_SETTINGS.map(({ limit, ...setting }) => ({ ...setting, shown: (s: Settings) => String(s.limits[limit]) })),
  { name: 'TILLWATCH_LOG_DAYS', default: '30', help: 'days that the logs are kept', shown: (s) => String(s.logDays) },
  {
    name: 'TILLWATCH_LOG_MAX_BYTES',
    default: String(64 * GIB),
    help: "what the brokers' log may take, bytes",
    shown: (s) => String(s.logMaxBytes),
  },
  {
    name: 'TILLWATCH_LOG_RESERVE_BYTES',
    default: String(GIB),
    help: "disk space that the brokers' log leaves free, bytes",
    shown: (s) => String(s.logReserveBytes),
  },
  {
    name: 'TILLWATCH_QUARANTINE_DAYS',
    default: '30',
    help: 'days that quarantine keeps what could not be taken in',
    shown: (s) => String(s.quarantineDays),
  },
  {
    name: 'TILLWATCH_RULES',
    default: '',
    help: 'a file with the rules that differ from the defaults, JSON',
    shown: (s) => s.rules?.path ?? '',
  },
  {
    name: 'INFLUX_URL',
    default: '',
    help: 'an InfluxDB 2 server; without it points go to an embedded DuckDB',
    shown: (s) => s.influx?.url ?? '',
  },
  { name: 'INFLUX_TOKEN', default: '', help: 'a token that may write to the bucket', shown: (s) => s.influx?.token ?? '', secret: true },
  { name: 'INFLUX_ORG', default: 'tillwatch', help: 'the organisation', shown: (s) => s.influx?.org ?? '' },
  { name: 'INFLUX_BUCKET', default: 'tillwatch', help: 'the bucket', shown: (s) => s.influx?.bucket ?? '' },
  {
    name: 'TILLWATCH_WEBHOOK_ALLOW',
    default: '',
    help: 'address ranges that webhooks may go to beside public ones (and without https), such as "10.0.0.0/8,::1"',
    shown: (s) => s.webhookAllow.text,
  },
  {
    name: 'TILLWATCH_API_URL',
    default: '',
    help: 'for commands: the API of a collector elsewhere; without it they use the one over the data folder',
    shown: (s) => s.api?.url ?? '',
  },
  {
    name: 'TILLWATCH_API_TOKEN',
    default: '',
    help: 'for commands: a token of that API',
    shown: (s) => s.api?.token ?? '',
    secret: true,
  },
];

const MASK = '********';

/** Errors: CliError that names every wrong setting. */
export function readSettings(env: Env): Settings {
  const problems: string[] = [];
  const text = (name: string) => value(env, name, problems);
  const settings: Settings = {
    dataDir: text('TILLWATCH_DATA_DIR'),
    mqtt: address('TILLWATCH_MQTT_LISTEN', text, problems),
    http: address('TILLWATCH_HTTP_LISTEN', text, problems),
    node:
      text('TILLWATCH_NODE') ||
      hostname()
        .replace(/[^A-Za-z0-9._-]/g, '-')
        .slice(0, 64) ||
      'node',
    limits: Object.fromEntries(LIMIT_SETTINGS.map(({ limit, name }) => [limit, amount(name, text, problems)])),
    logDays: amount('TILLWATCH_LOG_DAYS', text, problems),
    logMaxBytes: amount('TILLWATCH_LOG_MAX_BYTES', text, problems),
    logReserveBytes: amount('TILLWATCH_LOG_RESERVE_BYTES', text, problems),
    quarantineDays: amount('TILLWATCH_QUARANTINE_DAYS', text, problems),
    rules: rules(text('TILLWATCH_RULES'), problems),
    influx: influx(text, problems),
    webhookAllow: webhookAllow(text('TILLWATCH_WEBHOOK_ALLOW'), problems),
    api: api(text, problems),
  };
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(settings.node)) problems.push('TILLWATCH_NODE: 1 to 64 letters, digits, dots, dashes and underscores');
  if (problems.length > 0) throw new CliError(problems.join('\n'));
  return settings;
}

/** The settings in force, one a line, with secrets masked; blank where one is not used. */
export function printSettings(settings: Settings): string[] {
  return SETTINGS.map(({ name, secret, shown }) => {
    const text = shown(settings);
    return `${name}=${secret && text !== '' ? MASK : withoutPassword(text)}`;
  });
}

export function shownAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What stands between the scheme and the @ of an address, masked but for the user's name. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/?#:@]*):[^/?#]*@/g, `$1:${MASK}@`);
}

/** A variable, or the content of the file that its `_FILE` twin names, or the default. */
function value(env: Env, name: string, problems: string[]): string {
  const setting = SETTINGS.find((s) => s.name === name)!;
  const file = setting.secret ? env[`${name}_FILE`] : undefined;
  if (!file) return env[name] || setting.default;
  if (env[name]) problems.push(`${name} and ${name}_FILE are both set: choose one`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE: ${file} cannot be read`);
    return '';
  }
}

/** host:port, or undefined for what is none. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : undefined;
}

function address(name: string, text: (name: string) => string, problems: string[]): Address {
  const address = parseAddress(text(name));
  if (!address) problems.push(`${name}: "${withoutPassword(text(name))}" is not host:port, such as 127.0.0.1:1883`);
  return address ?? { host: '', port: 0 };
}

function amount(name: string, text: (name: string) => string, problems: string[]): number {
  const number = Number(text(name));
  if (!Number.isInteger(number) || number < 0) problems.push(`${name}: "${text(name)}" is not a whole number`);
  return number;
}

function rules(path: string, problems: string[]): Settings['rules'] {
  if (path === '') return undefined;
  const read = readRulesFile(path);
  if (read.ok) return { path, ...read.value };
  problems.push(...read.problems.map((problem) => `TILLWATCH_RULES: ${problem}`));
  return undefined;
}

function influx(text: (name: string) => string, problems: string[]): Settings['influx'] {
  const url = text('INFLUX_URL');
  if (url === '') return undefined;
  const problem = urlProblem(url, 'INFLUX_TOKEN', 'http://127.0.0.1:8086');
  if (problem) problems.push(`INFLUX_URL: ${problem}`);
  const token = text('INFLUX_TOKEN');
  if (token === '')
    problems.push(
      'INFLUX_TOKEN: missing, and INFLUX_URL is set: give a token that may write to the bucket, or its file in INFLUX_TOKEN_FILE',
    );
  return { url, token, org: text('INFLUX_ORG'), bucket: text('INFLUX_BUCKET') };
}

function webhookAllow(text: string, problems: string[]): Settings['webhookAllow'] {
  const { ranges, bad } = parseRanges(text);
  for (const part of bad) problems.push(`TILLWATCH_WEBHOOK_ALLOW: "${part}" is not a range of addresses, such as 10.0.0.0/8`);
  return { text, ranges };
}

function api(text: (name: string) => string, problems: string[]): Settings['api'] {
  const url = text('TILLWATCH_API_URL');
  if (url === '') return undefined;
  const problem = urlProblem(url, 'TILLWATCH_API_TOKEN', 'https://tillwatch.example');
  if (problem) problems.push(`TILLWATCH_API_URL: ${problem}`);
  const token = text('TILLWATCH_API_TOKEN');
  if (token === '')
    problems.push(
      'TILLWATCH_API_TOKEN: missing, and TILLWATCH_API_URL is set: give a token of that API, or its file in TILLWATCH_API_TOKEN_FILE',
    );
  return { url, token };
}

/** An address is shown to people, so it must hold no secret. */
function urlProblem(url: string, tokenSetting: string, example: string): string | undefined {
  const form = `not an http or https address, such as ${example}`;
  if (!URL.canParse(url)) return form;
  const { protocol, username, password } = new URL(url);
  if (username || password) return `without a user or a password: give ${tokenSetting}`;
  return /^https?:$/.test(protocol) ? undefined : form;
}
