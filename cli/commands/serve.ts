import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import type { BrokerStats } from '../../broker/broker.ts';
import type { Metric } from '../../collector/app/metrics.ts';
import { printSettings, readSettings, SETTINGS, type Settings } from '../config.ts';
import { CliError, type Io } from '../io.ts';
import { openDataDir, type Running, type RunningBroker, runBroker, runCollector, untilStopped } from '../parts.ts';

/** start, broker, collector: what runs until it is stopped. */
export function serveCommands(program: Command, io: Io): void {
  recording(serving(program, io, 'start', 'broker, collector and API in one place, on embedded stores', startAll));
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

type Start = (settings: Settings, options: Options, io: Io) => Promise<Running[]>;

function recording(command: Command): void {
  command.option('--record <file>', 'add every entry to a file in the replay format, for "tillwatch alerts replay"');
}

async function startAll(settings: Settings, { record }: Options, io: Io): Promise<Running[]> {
  const paths = await openDataDir(settings);
  let broker: RunningBroker | undefined;
  const extraMetrics = () => (broker ? brokerMetrics(broker.broker.stats()) : []);
  const collector = await runCollector(settings, paths, io, { recordFile: record, extraMetrics });
  try {
    broker = await runBroker(settings, paths, io);
  } catch (error) {
    await collector.stop();
    throw error;
  }
  // Stopped in turn, the last first: the broker says its last before the collector reads it.
  return [collector, broker];
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
        await untilStopped(await start(read, options, io), io);
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

function brokerMetrics(stats: BrokerStats): Metric[] {
  const { connections, published, pendingAppends, failedAppends, refusals, controlLagMs, log } = stats;
  return [
    { name: 'tillwatch_broker_connections', help: 'open MQTT connections', values: { '': connections } },
    { name: 'tillwatch_broker_published_total', help: 'messages that became durable, by channel', values: published },
    { name: 'tillwatch_broker_pending_appends', help: 'messages that wait for the log', values: { '': pendingAppends } },
    { name: 'tillwatch_broker_failed_appends_total', help: 'messages that the log did not take', values: { '': failedAppends } },
    { name: 'tillwatch_broker_refusals_total', help: 'what was refused, by reason', values: refusals as Record<string, number> },
    {
      name: 'tillwatch_broker_control_lag_seconds',
      help: 'since the control log was last read to its end',
      values: { '': controlLagMs / 1000 },
    },
    { name: 'tillwatch_log_batches_total', help: 'batches made durable since the start', values: { '': log.batches } },
    { name: 'tillwatch_log_bytes_total', help: 'bytes made durable since the start', values: { '': log.bytes } },
    { name: 'tillwatch_log_last_sync_seconds', help: 'how long the last write and sync took', values: { '': log.lastSyncMs / 1000 } },
    {
      name: 'tillwatch_log_sync_inline',
      help: '1 while the log is synced on the event loop, 0 in the thread pool',
      values: { '': log.syncMode === 'inline' ? 1 : 0 },
    },
  ];
}
