import type { Command } from 'commander';
import { readSettings } from '../config.ts';
import { neededApi } from '../installation.ts';
import { CliError, type Io } from '../io.ts';
import { counted } from '../lines.ts';
import { listed } from '../lists.ts';
import { time, whole } from '../options.ts';
import { secretIn } from '../secrets.ts';
import { receiverCommands } from './webhook-receiver.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const LAST_TIME = Date.UTC(9999, 11, 31);

export function webhookCommand(program: Command, io: Io): void {
  const webhook = program.command('webhook').description('where alerts are sent: signed as Standard Webhooks 1.0 says');
  managing(webhook, io);
  receiverCommands(webhook, io);
}

interface AddOptions {
  acquirer?: string;
  types?: string[];
  severity?: string;
  merchants?: string[];
  language?: string;
  description?: string;
  secretFile?: string;
  json?: boolean;
}

/** What asks the running product. */
function managing(webhook: Command, io: Io): void {
  const api = () => neededApi(readSettings(io.env));
  webhook
    .command('add <url>')
    .description('send alerts to an address; prints its id, and the secret that was made to sign them, which is shown this once')
    .option('--acquirer <code>', 'the alerts of this acquirer alone')
    .option('--types <type...>', 'these types of alerts alone, such as quota.terminals')
    .option('--severity <level>', 'from this severity on: info, warning or critical')
    .option('--merchants <merchant...>', 'the alerts of these merchants alone')
    .option('--language <language>', 'of the remedies: en or zh')
    .option('--description <text>', 'for people')
    .option('--secret-file <file>', 'sign with the secret in this file in place of a new one')
    .option('--json', 'the webhook as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  tillwatch webhook add https://bank.example/tillwatch --acquirer acme --severity warning\n  tillwatch webhook add http://127.0.0.1:9100/ --secret-file webhook-secret     (see TILLWATCH_WEBHOOK_ALLOW)',
    )
    .action(async (url: string, { secretFile, json, ...options }: AddOptions) => {
      const secret = secretFile === undefined ? undefined : await secretIn(secretFile);
      const made = await (await api())('POST', '/v1/webhooks', { url, ...options, secret });
      if (json) return io.out(JSON.stringify(made));
      io.out(`id: ${made.id}`);
      if (made.secret !== undefined) io.out(`secret: ${made.secret}`);
    });

  webhook
    .command('list')
    .description('the webhooks, and how they are')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', '\nExample:\n  tillwatch webhook list')
    .action(async ({ json }: { json?: boolean }) => {
      for await (const item of listed(await api(), '/v1/webhooks')) io.out(json ? JSON.stringify(item) : endpointLine(item));
    });

  webhook
    .command('remove <id>')
    .description('send nothing to a webhook any more, and forget it')
    .addHelpText('after', '\nExample:\n  tillwatch webhook remove we_0123456789abcdef01')
    .action(async (id: string) => {
      await (await api())('DELETE', `/v1/webhooks/${encodeURIComponent(id)}`);
      io.say(`removed ${id}`);
    });

  webhook
    .command('test <id>')
    .description('send a ping to a webhook')
    .addHelpText('after', '\nExample:\n  tillwatch webhook test we_0123456789abcdef01')
    .action(async (id: string) => {
      const ping = await (await api())('POST', `/v1/webhooks/${encodeURIComponent(id)}/test`);
      io.say(`ping ${ping.id} is on its way, event ${ping.sequence}`);
    });

  webhook
    .command('enable <id>')
    .description('deliver to a webhook again that was disabled: what waited is sent now')
    .addHelpText('after', '\nExample:\n  tillwatch webhook enable we_0123456789abcdef01')
    .action(async (id: string) => {
      const { waiting } = await (await api())('POST', `/v1/webhooks/${encodeURIComponent(id)}/enable`);
      io.say(`enabled ${id}, and on the way to it: ${counted(waiting as number, 'event')}`);
    });

  webhook
    .command('resend <id>')
    .description('send events of a webhook again, under the ids and sequences that they had')
    .option('--from-sequence <n>', 'from this sequence on', whole(1, MAX))
    .option('--to-sequence <n>', 'up to this sequence', whole(1, MAX))
    .option('--from <time>', 'from this time on, ISO 8601 or epoch milliseconds', time)
    .option('--to <time>', 'up to this time', time)
    .option('--ids <id...>', 'these webhook-ids')
    .addHelpText(
      'after',
      '\nExamples:\n  tillwatch webhook resend we_0123456789abcdef01 --from-sequence 17 --to-sequence 20\n  tillwatch webhook resend we_0123456789abcdef01 --from 2026-11-28T00:00Z --to 2026-11-28T06:00Z',
    )
    .action(async (id: string, options: ResendOptions) => {
      const asked = selectionOf(options);
      const { events } = await (await api())('POST', `/v1/webhooks/${encodeURIComponent(id)}/replay`, asked);
      io.say(`on the way: ${counted(events as number, 'event')}`);
    });
}

interface ResendOptions {
  fromSequence?: number;
  toSequence?: number;
  from?: number;
  to?: number;
  ids?: string[];
}

function selectionOf({ fromSequence, toSequence, from, to, ids }: ResendOptions): object {
  const given = [
    ...(fromSequence === undefined && toSequence === undefined ? [] : [{ fromSequence: fromSequence ?? 1, toSequence: toSequence ?? MAX }]),
    ...(from === undefined && to === undefined ? [] : [{ from: from ?? 0, to: to ?? LAST_TIME }]),
    ...(ids === undefined ? [] : [{ ids }]),
  ];
  if (given.length !== 1) throw new CliError('say which events: --from-sequence and --to-sequence, or --from and --to, or --ids', 2);
  return given[0]!;
}

function endpointLine({ id, url, acquirer, state, disabledBecause, sequence, waiting, lastError }: Record<string, unknown>): string {
  const how = state === 'disabled' ? `disabled (${disabledBecause})` : lastError === null ? 'well' : `failing: ${lastError}`;
  return `${id}  ${acquirer ?? 'all acquirers'}  ${url}  ${counted(sequence as number, 'event')}, ${waiting} waiting, ${how}`;
}
