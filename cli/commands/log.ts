import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { layout } from '../../backbone/layout.ts';
import { consumersOf } from '../../backbone/segments/consumers.ts';
import { type Fill, readFill } from '../../backbone/segments/fill.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { walkLog } from '../../backbone/segments/walk.ts';
import { exportEntries, isSelected, type Selection } from '../../collector/log/export.ts';
import { LOG_NAMES, type LogName, noSurvey, note, type Survey } from '../../collector/log/survey.ts';
import { lineFromEntry } from '../../protocol/replay.ts';
import { readSettings } from '../config.ts';
import { CliError, type Io } from '../io.ts';
import { damageLines, inspectLines, mebibytes } from '../log-lines.ts';
import { time } from '../options.ts';

interface Named {
  json?: boolean;
}

/** inspect, verify and export: they read the logs' files alone, so they work while the product runs and while it does not. */
export function logCommand(program: Command, io: Io): void {
  const log = program.command('log').description('the logs: what is in them, whether they are whole, and their entries');
  const ofLogs = (name: string, description: string) =>
    log
      .command(`${name} [log]`)
      .description(`${description}; of one log (${LOG_NAMES.join(', ')}) or of all`)
      .option('--json', 'one JSON document a log')
      .addHelpText('after', `\nExamples:\n  tillwatch log ${name}\n  tillwatch log ${name} brokers --json`);

  ofLogs('inspect', 'what is in the logs, and how far their readers are').action(async (name: string | undefined, { json }: Named) => {
    for (const one of logsOf(name)) {
      const figures = { ...(await surveyOf(one, io)), ...(await readersOf(one, io)) };
      if (json) io.out(JSON.stringify({ log: one, ...figures }));
      else for (const line of inspectLines(one, figures)) io.out(line);
    }
  });

  ofLogs('verify', 'check every batch; exit 1 where one is damaged').action(async (name: string | undefined, { json }: Named) => {
    let damaged = 0;
    for (const one of logsOf(name)) {
      const { batches, bytes, damage, torn } = await surveyOf(one, io);
      damaged += damage.length;
      if (json) io.out(JSON.stringify({ log: one, batches, bytes, damage, torn }));
      else for (const line of damageLines(one, { batches, bytes, damage, torn })) io.out(line);
    }
    if (damaged > 0) throw new CliError(DAMAGED);
  });

  log
    .command('export')
    .description('print the entries in the replay format, in the order in which they were folded')
    .option('--from <time>', 'from this time on, ISO 8601 or epoch milliseconds', time)
    .option('--to <time>', 'up to this time', time)
    .option('--acquirer <code>', 'without the messages and rows of other acquirers')
    .option('--sn <serial>', 'without those of other terminals')
    .addHelpText(
      'after',
      '\nExamples:\n  tillwatch log export | tillwatch alerts replay -\n  tillwatch log export --acquirer acme --sn SN000001 --from 2026-11-28T00:00Z > monday.jsonl',
    )
    .action(async (options: Partial<Selection>) => {
      const selection = { from: 0, to: Number.POSITIVE_INFINITY, ...options };
      if (selection.from > selection.to) throw new CliError('--from is later than --to', 2);
      await exportLog(selection, io);
    });
}

const DAMAGED =
  'the logs are damaged: stop the product, restore the files that are named from a backup, or move them away (what they held is then lost), and see to the disk';

const BEGUN_LATER = 'retention has removed the beginning of the logs: registry, rules and alerts from before it are not in what is printed';

function logsOf(name: string | undefined): readonly LogName[] {
  const found = LOG_NAMES.filter((one) => name === undefined || one === name);
  if (found.length === 0) throw new CliError(`there is no log "${name}": name one of ${LOG_NAMES.join(', ')}`, 2);
  return found;
}

/** Errors: CliError where there is no data folder, which reading must not make. */
async function folderOf(log: LogName, io: Io): Promise<string> {
  const { root, brokersLog, ownerLog, controlLog } = layout(readSettings(io.env).dataDir);
  await access(root).catch(() => Promise.reject(new CliError(`there is no data folder ${root}: name it in TILLWATCH_DATA_DIR`)));
  return { brokers: brokersLog, owner: ownerLog, control: controlLog }[log];
}

async function surveyOf(log: LogName, io: Io): Promise<Survey> {
  const survey = noSurvey();
  for await (const step of walkLog(await folderOf(log, io))) {
    note(survey, step, log);
    if (step.kind === 'segment') io.progress?.(`${log}: ${mebibytes(survey.fileBytes)}`);
  }
  io.progress?.('');
  return survey;
}

/** `consumers`: the first batch that each still needs. */
async function readersOf(log: LogName, io: Io): Promise<{ consumers: Record<string, number>; fill: Fill | null }> {
  const dir = await folderOf(log, io);
  return { consumers: Object.fromEntries(await consumersOf(dir)), fill: readFill(dir) ?? null };
}

async function exportLog(selection: Selection, io: Io): Promise<void> {
  const brokersLog = await openSegmentReader(await folderOf('brokers', io));
  const ownerLog = await openSegmentReader(await folderOf('owner', io));
  let lines = 0;
  try {
    if ((await brokersLog.first()) > 1 || (await ownerLog.first()) > 1) io.say(BEGUN_LATER);
    for await (const entry of exportEntries(brokersLog, ownerLog)) {
      if (!isSelected(entry, selection)) continue;
      io.out(lineFromEntry(entry));
      if (++lines % 10_000 === 0) io.progress?.(`${lines} entries, up to ${new Date(entry.at).toISOString()}`);
    }
  } finally {
    io.progress?.('');
    await brokersLog.close();
    await ownerLog.close();
  }
}
