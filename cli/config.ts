/** The product's settings, from the environment. All mistakes are found at once, before anything starts. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { LEAST_LOG_BYTES } from '../backbone/segments/writer.ts';
import { LIMIT_NAMES, LIMITS, type LimitValues } from '../broker/limits/table.ts';
import { parseRanges, type Range } from '../collector/webhooks/addresses.ts';
import { type Address, parseAddress, shownAddress } from './address.ts';
import { CliError } from './io.ts';
import { type Listening, readListening } from './listening.ts';
import { type RulesFile, readRulesFile } from './rules.ts';

export interface Settings extends Listening {
  dataDir: string;
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
  /** How many days the store keeps samples, and how many everything else. */
  kept: { rawDays: number; rollupDays: number };
  /** How many series a measurement may have in the store. */
  maxSeries: number;
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
  /** The setting without which this one is not used. */
  needs?: 'INFLUX_URL' | 'TILLWATCH_API_URL';
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
    name: 'TILLWATCH_MQTTS_LISTEN',
    default: '',
    help: 'where terminals connect by TLS, host:port, such as 0.0.0.0:8883',
    shown: (s) => shownOptional(s.mqtts),
  },
  {
    name: 'TILLWATCH_WS_LISTEN',
    default: '',
    help: 'where they connect by WebSocket, host:port; path /mqtt, subprotocol mqtt',
    shown: (s) => shownOptional(s.ws),
  },
  { name: 'TILLWATCH_WSS_LISTEN', default: '', help: 'the same by WebSocket over TLS, host:port', shown: (s) => shownOptional(s.wss) },
  {
    name: 'TILLWATCH_TLS_CERT_FILE',
    default: '',
    help: "the broker's certificate and those between it and its authority, PEM; read again when it changes",
    shown: (s) => s.tls?.certFile ?? '',
  },
  { name: 'TILLWATCH_TLS_KEY_FILE', default: '', help: 'its private key, PEM', shown: (s) => s.tls?.keyFile ?? '' },
  {
    name: 'TILLWATCH_TLS_CLIENT_CA_FILE',
    default: '',
    help: "the authorities of terminals' certificates, PEM: with it, one with O={acquirer}, CN={sn} is a log-in",
    shown: (s) => s.tls?.clientCaFile ?? '',
  },
  {
    name: 'TILLWATCH_TLS_CRL_FILE',
    default: '',
    help: 'what those authorities have revoked, PEM: a list of each of them',
    shown: (s) => s.tls?.crlFile ?? '',
  },
  {
    name: 'TILLWATCH_PROXY_FROM',
    default: '',
    help: 'address ranges of balancers, such as "10.0.0.0/28": they must, and they alone may, send a PROXY header (version 1 or 2)',
    shown: (s) => s.proxyFrom.text,
  },
  {
    name: 'TILLWATCH_INSECURE_LISTEN',
    default: '',
    help: '1: let other machines connect without TLS, where MQTT or WS listens beyond loopback',
    shown: (s) => (s.insecureListen ? '1' : ''),
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
    help: `what the brokers' log may take, bytes; at least ${LEAST_LOG_BYTES}`,
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
  {
    name: 'INFLUX_TOKEN',
    default: '',
    help: 'a token that may write to both buckets, or make the second',
    shown: (s) => s.influx?.token ?? '',
    needs: 'INFLUX_URL',
    secret: true,
  },
  { name: 'INFLUX_ORG', default: 'tillwatch', help: 'the organisation', shown: (s) => s.influx?.org ?? '', needs: 'INFLUX_URL' },
  {
    name: 'INFLUX_BUCKET',
    default: 'tillwatch',
    help: 'the bucket; roll-ups go to another, its name with "_5m"',
    shown: (s) => s.influx?.bucket ?? '',
    needs: 'INFLUX_URL',
  },
  {
    name: 'TILLWATCH_RAW_DAYS',
    default: '30',
    help: 'days that samples are kept in the store as they came; 0: for ever',
    shown: (s) => String(s.kept.rawDays),
  },
  {
    name: 'TILLWATCH_ROLLUP_DAYS',
    default: '400',
    help: 'days that roll-ups of five minutes, outcomes, presence and alerts are kept in the store; 0: for ever',
    shown: (s) => String(s.kept.rollupDays),
  },
  {
    name: 'TILLWATCH_MAX_SERIES',
    default: '200000',
    help: 'sets of tags that a measurement may have in the store; points of further ones go to quarantine',
    shown: (s) => String(s.maxSeries),
  },
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
    needs: 'TILLWATCH_API_URL',
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
    ...readListening(text, (name) => address(name, text, problems), problems),
    http: address('TILLWATCH_HTTP_LISTEN', text, problems),
    node:
      text('TILLWATCH_NODE') ||
      hostname()
        .replace(/[^A-Za-z0-9._-]/g, '-')
        .slice(0, 64) ||
      'node',
    limits: Object.fromEntries(LIMIT_SETTINGS.map(({ limit, name }) => [limit, amount(name, text, problems)])),
    logDays: amount('TILLWATCH_LOG_DAYS', text, problems),
    logMaxBytes: amount('TILLWATCH_LOG_MAX_BYTES', text, problems, LEAST_LOG_BYTES),
    logReserveBytes: amount('TILLWATCH_LOG_RESERVE_BYTES', text, problems),
    quarantineDays: amount('TILLWATCH_QUARANTINE_DAYS', text, problems),
    rules: rules(text('TILLWATCH_RULES'), problems),
    influx: influx(text, problems),
    kept: { rawDays: amount('TILLWATCH_RAW_DAYS', text, problems), rollupDays: amount('TILLWATCH_ROLLUP_DAYS', text, problems) },
    maxSeries: amount('TILLWATCH_MAX_SERIES', text, problems, 1),
    webhookAllow: webhookAllow(text('TILLWATCH_WEBHOOK_ALLOW'), problems),
    api: api(text, problems),
  };
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(settings.node)) problems.push('TILLWATCH_NODE: 1 to 64 letters, digits, dots, dashes and underscores');
  if (problems.length > 0) throw new CliError(problems.join('\n'));
  return settings;
}

/** The settings in force, one a line, with secrets masked; of one that is not used a comment says so. */
export function printSettings(settings: Settings): string[] {
  const isBlank = (wanted: string) => SETTINGS.find(({ name }) => name === wanted)!.shown(settings) === '';
  return SETTINGS.map(({ name, secret, shown, needs }) => {
    if (needs && isBlank(needs)) return `# ${name} is not used without ${needs}`;
    const text = shown(settings);
    return `${name}=${secret && text !== '' ? MASK : withoutPassword(text)}`;
  });
}

function shownOptional(address: Address | undefined): string {
  return address ? shownAddress(address) : '';
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

function address(name: string, text: (name: string) => string, problems: string[]): Address {
  const address = parseAddress(text(name));
  if (!address) problems.push(`${name}: "${withoutPassword(text(name))}" is not host:port, such as 127.0.0.1:1883`);
  return address ?? { host: '', port: 0 };
}

function amount(name: string, text: (name: string) => string, problems: string[], least = 0): number {
  const number = Number(text(name));
  if (!Number.isInteger(number) || number < 0) problems.push(`${name}: "${text(name)}" is not a whole number`);
  else if (number < least) problems.push(`${name}: at least ${least}`);
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
