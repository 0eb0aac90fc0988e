import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { openControlWriter } from '../../backbone/control.ts';
import { loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import { nocUser, parseUser } from '../../backbone/credentials/users.ts';
import { readSettings } from '../config.ts';
import { runningApi } from '../installation.ts';
import { CliError, type Io } from '../io.ts';
import { openDataDir } from '../parts.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 730;
const MAX_DAYS = 3650;

interface Options {
  noc?: string;
  days?: string;
  json?: boolean;
}

/** enroll and revoke: who may connect. */
export function enrollCommands(program: Command, io: Io): void {
  program
    .command('enroll [terminal]')
    .description('print a token, the MQTT password of a terminal (ACQUIRER/SN) or of a monitoring tool (--noc NAME)')
    .option('--noc <name>', 'read-only credentials for a monitoring tool; its user name is noc:NAME')
    .option('--days <n>', `how many days it is good, 1 to ${MAX_DAYS}`, String(DEFAULT_DAYS))
    .option('--json', 'user name, token and expiry as JSON')
    .addHelpText('after', '\nExamples:\n  tillwatch enroll acme/SN000001\n  tillwatch enroll --noc grafana --days 90')
    .action(async (terminal: string | undefined, options: Options) => {
      const user = userOf(terminal, options);
      const { token, expiresAt } = await enroll(user, daysOf(options), io);
      io.out(options.json ? JSON.stringify({ user, token, expiresAt }) : token);
    });

  program
    .command('revoke [terminal]')
    .description('refuse every token issued to a terminal (ACQUIRER/SN) or a monitoring tool until now, and end its connections')
    .option('--noc <name>', 'a monitoring tool')
    .addHelpText('after', '\nExamples:\n  tillwatch revoke acme/SN000001\n  tillwatch revoke --noc grafana')
    .action(async (terminal: string | undefined, options: Options) => {
      const user = userOf(terminal, options);
      const settings = readSettings(io.env);
      const ask = await runningApi(settings);
      if (ask) await ask('POST', '/v1/revocations', { user });
      else await revokeOffline((await openDataDir(settings)).controlLog, user);
      io.say(`revoked ${user}: enroll it again for a new token`);
    });
}

async function enroll(user: string, days: number, io: Io): Promise<{ token: string; expiresAt: number }> {
  const settings = readSettings(io.env);
  const ask = await runningApi(settings);
  if (ask) return (await ask('POST', '/v1/enrolments', { user, days })) as { token: string; expiresAt: number };
  const paths = await openDataDir(settings);
  const now = Date.now();
  const expiresAt = now + days * DAY_MS;
  const [key] = await loadOrCreateKeys(paths.keys, randomBytes, Date.now);
  return { token: issueToken(key, user, { now, expiresAt }), expiresAt };
}

async function revokeOffline(controlLog: string, user: string): Promise<void> {
  const control = await openControlWriter(controlLog);
  try {
    await control.append({ kind: 'revocation', at: Date.now(), user });
  } finally {
    await control.close();
  }
}

function userOf(terminal: string | undefined, { noc }: Options): string {
  if ((terminal === undefined) === (noc === undefined)) throw new CliError('name a terminal as ACQUIRER/SN, or a tool with --noc NAME', 2);
  const user = noc === undefined ? terminal! : nocUser(noc);
  if (parseUser(user)?.kind !== (noc === undefined ? 'terminal' : 'noc')) {
    throw new CliError(
      `"${noc ?? terminal}" is no ${noc === undefined ? 'terminal: write ACQUIRER/SN, such as acme/SN000001' : 'name: letters, digits, dots, dashes, underscores'}`,
      2,
    );
  }
  return user;
}

function daysOf({ days }: Options): number {
  const number = Number(days);
  if (!Number.isInteger(number) || number < 1 || number > MAX_DAYS) throw new CliError(`--days: a whole number, 1 to ${MAX_DAYS}`, 2);
  return number;
}
