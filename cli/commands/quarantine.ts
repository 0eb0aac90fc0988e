import type { Command } from 'commander';
import { readSettings } from '../config.ts';
import { ApiError, type Ask, neededApi } from '../installation.ts';
import { CliError, type Io } from '../io.ts';
import { listed } from '../lists.ts';

interface Filter {
  reason?: string;
  from?: string;
}

/** What could not be taken in: list, show, and replay once it can be. */
export function quarantineCommand(program: Command, io: Io): void {
  const quarantine = program
    .command('quarantine')
    .description('what was not taken in, and why; messages are replayed once they can be read');
  const api = () => neededApi(readSettings(io.env));
  const filtered = (command: Command) =>
    command
      .option('--reason <reason>', 'for this reason alone, such as bad_schema')
      .option('--from <sender>', 'from this sender alone, such as acme/SN000001');

  filtered(quarantine.command('list'))
    .description('what is in quarantine, the newest first')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', '\nExamples:\n  tillwatch quarantine list\n  tillwatch quarantine list --reason bad_schema --from acme/SN000001')
    .action(async ({ json, ...filter }: Filter & { json?: boolean }) => {
      const query = new URLSearchParams(Object.entries(filter));
      for await (const row of listed(await api(), '/v1/quarantine', query)) io.out(json ? JSON.stringify(row) : rowLine(row));
    });

  quarantine
    .command('show <id>')
    .description('one of them, with its bytes')
    .option('--json', 'the whole of it as JSON')
    .addHelpText('after', '\nExample:\n  tillwatch quarantine show 4711-0')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const row = await (await api())('GET', pathOf(id));
      if (json) return io.out(JSON.stringify(row));
      io.out(rowLine(row));
      if (row.raw !== null) io.out(String(row.text ?? `base64: ${row.raw}`));
    });

  filtered(quarantine.command('replay [ids...]'))
    .description('take messages in that can be read by now, as data of their own time: these, or with --all every one')
    .option('--all', 'every message, or those that the filters name')
    .addHelpText(
      'after',
      '\nExamples:\n  tillwatch quarantine replay 4711-0 4711-3\n  tillwatch quarantine replay --all --reason bad_schema',
    )
    .action(async (ids: string[], { all, ...filter }: Filter & { all?: boolean }) => {
      const filters = Object.keys(filter).length > 0;
      if (all ? ids.length > 0 : ids.length === 0 || filters) throw new CliError('name ids, or say --all, with or without filters', 2);
      await (all ? replayAll(await api(), filter, io) : replayEach(await api(), ids, io));
    });
}

/** Goes on behind what cannot be replayed, and says at the end how many that were. */
async function replayEach(ask: Ask, ids: readonly string[], io: Io): Promise<void> {
  let failed = 0;
  for (const id of ids) {
    try {
      const { replayedAt } = await ask('POST', `${pathOf(id)}/replay`);
      io.say(`${id}: replayed at ${new Date(Number(replayedAt)).toISOString()}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      failed++;
      io.say(`${id}: ${error.message}`);
    }
  }
  if (failed > 0) throw new CliError(`${failed} of ${ids.length} were not replayed`);
}

async function replayAll(ask: Ask, filter: Filter, io: Io): Promise<void> {
  let [replayed, kept] = [0, 0];
  for (let cursor: unknown; cursor !== null; ) {
    const part = await ask('POST', '/v1/quarantine/replay', { ...filter, ...(cursor === undefined ? {} : { cursor }) });
    replayed += Number(part.replayed);
    kept += Number(part.kept);
    cursor = part.next;
    io.progress?.(`${replayed} replayed`);
  }
  io.progress?.('');
  io.say(`${replayed} replayed, ${kept} still cannot be read`);
}

function pathOf(id: string): string {
  return `/v1/quarantine/${encodeURIComponent(id)}`;
}

function rowLine({ id, at, from, channel, reason, detail }: Record<string, unknown>): string {
  return `${id}  ${new Date(Number(at)).toISOString()}  ${from}  ${channel ?? '-'}  ${reason}${detail === '' ? '' : `: ${detail}`}`;
}
