/** The product's settings, from the environment. All mistakes are found at once, before anything starts. */
import { hostname } from 'node:os';
import { type Address, shownAddress } from './address.ts';
import { CliError } from './io.ts';
import { type RulesFile, readRulesFile } from './rules.ts';
import { readAccess } from './settings/access.ts';
import { LIMIT_SETTINGS, type LimitsSet, readLimits } from './settings/limits.ts';
import { LISTENING_SETTINGS, type Listening, readListening } from './settings/listening.ts';
import { LOG_SETTINGS, type LogsKept, readLogs } from './settings/logs.ts';
import { type Env, type Ranges, type Reader, settingsReader } from './settings/reader.ts';
import { type Setting, settingLines } from './settings/setting.ts';
import { readStore, STORE_SETTINGS, type StoreSettings } from './settings/store.ts';

export interface Settings extends Listening, LimitsSet, LogsKept, StoreSettings {
  dataDir: string;
  http: Address;
  node: string;
  /** The rules that differ from the defaults, and where they stand. */
  rules: (RulesFile & { path: string }) | undefined;
  /** Ranges of addresses that webhooks may be delivered to beside the public ones. */
  webhookAllow: Ranges;
  /** The collector that commands talk to, where it is not the one over this data folder. */
  api: { url: string; token: string } | undefined;
}

/** In the order in which people see them. */
export const SETTINGS: readonly Setting<Settings>[] = [
  { name: 'TILLWATCH_DATA_DIR', default: './tillwatch-data', help: 'the folder with everything that is kept', shown: (s) => s.dataDir },
  ...LISTENING_SETTINGS,
  {
    name: 'TILLWATCH_HTTP_LISTEN',
    default: '127.0.0.1:8080',
    help: 'where the API answers, host:port',
    shown: (s) => shownAddress(s.http),
  },
  { name: 'TILLWATCH_NODE', default: '', help: "this broker's name in the log; default: the host's name", shown: (s) => s.node },
  ...LIMIT_SETTINGS,
  ...LOG_SETTINGS,
  {
    name: 'TILLWATCH_RULES',
    default: '',
    help: 'a file with the rules that differ from the defaults, JSON',
    shown: (s) => s.rules?.path ?? '',
  },
  ...STORE_SETTINGS,
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

/** Where commands find a collector elsewhere. */
const API = { url: 'TILLWATCH_API_URL', token: 'TILLWATCH_API_TOKEN', example: 'https://tillwatch.example', wanted: 'a token of that API' };

/** Errors: CliError that names every wrong setting. */
export function readSettings(env: Env): Settings {
  const reader = settingsReader(env, SETTINGS);
  const { text, address, ranges, problems } = reader;
  const settings: Settings = {
    dataDir: text('TILLWATCH_DATA_DIR'),
    ...readListening(reader),
    http: address('TILLWATCH_HTTP_LISTEN'),
    node: text('TILLWATCH_NODE') || hostNode(),
    ...readLimits(reader),
    ...readLogs(reader),
    rules: readRulesSetting(reader),
    ...readStore(reader),
    webhookAllow: ranges('TILLWATCH_WEBHOOK_ALLOW'),
    api: readAccess(reader, API),
  };
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(settings.node)) problems.push('TILLWATCH_NODE: 1 to 64 letters, digits, dots, dashes and underscores');
  if (problems.length > 0) throw new CliError(problems.join('\n'));
  return settings;
}

/** The settings in force, one a line, with secrets masked; of one that is not used a comment says so. */
export function printSettings(settings: Settings): string[] {
  return settingLines(SETTINGS, settings);
}

/** The host's name, in letters that the log takes. */
function hostNode(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'node'
  );
}

function readRulesSetting({ text, problems }: Reader): Settings['rules'] {
  const path = text('TILLWATCH_RULES');
  if (path === '') return undefined;
  const read = readRulesFile(path);
  if (read.ok) return { path, ...read.value };
  problems.push(...read.problems.map((problem) => `TILLWATCH_RULES: ${problem}`));
  return undefined;
}
