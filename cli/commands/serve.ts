import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { printSettings, readSettings, SETTINGS, type Settings } from '../config.ts';
import { CliError, type Io } from '../io.ts';
import { openDataDir, type Running, runAll, runBroker, runCollector, untilStopped } from '../parts.ts';

/** start, broker, collector: what runs until it is stopped. */
export function serveCommands(program: Command, io: Io): void {
  recording(
    serving(program, io, 'start', 'broker, collector and API in one place, on embedded stores', (settings, { record }) =>
      runAll(settings, io, { recordFile: record }),
    ),
  );
  serving(program, io, 'broker', 'the broker alone, over a data folder that a collector shares', async (settings) => [
    await runBroker(settings, await openDataDir(settings), io),
  ]);
  recording(
    serving(program, io, 'collector', 'the collector and its API alone, over the data folder of a broker', async (settings, { record }) => [
      await runCollector(settings, await openDataDir(settings), io, { recordFile: record }),
    ]),
  );
}

interface Options {
  printConfig?: boolean;
  record?: string;
}

type Start = (settings: Settings, options: Options) => Promise<Running[]>;

function recording(command: Command): void {
  command.option('--record <file>', 'add every entry to a file in the replay format, for "tillwatch alerts replay"');
}

function serving(program: Command, io: Io, name: string, description: string, start: Start): Command {
  const width = Math.max(...SETTINGS.map((s) => s.name.length));
  const settings = SETTINGS.map((s) => `  ${s.name.padEnd(width)}  ${s.help}${s.default ? ` (${s.default})` : ''}`).join('\n');
  return program
    .command(name)
    .description(description)
    .option('--print-config', 'print the settings in force, secrets masked, and end')
    .addHelpText(
      'after',
      `\nExamples:\n  TILLWATCH_DATA_DIR=/var/lib/tillwatch tillwatch ${name}\n  tillwatch ${name} --print-config\n\nSettings, from the environment; a secret may be given as a file, in NAME_FILE:\n${settings}`,
    )
    .action(async (options: Options) => {
      const read = readSettings(io.env);
      if (options.printConfig) for (const line of printSettings(read)) io.out(line);
      else {
        await checkRecordFile(options.record);
        await untilStopped(await start(read, options), io);
      }
    });
}

/** Makes the file where it is missing. Errors: CliError where it cannot be written, before anything starts. */
async function checkRecordFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const file = await open(path, 'a', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`--record: ${path} cannot be written (${error.code ?? error.message}): name another file`);
  });
  await file.close();
}
