/** The parts that commands start, and what they have in common: settings, signals, stopping in order. */
import { randomBytes } from 'node:crypto';
import type { Layout } from '../backbone/layout.ts';
import { prepareDataDir } from '../backbone/layout.ts';
import { fillAlarm } from '../backbone/segments/fill.ts';
import { openSegmentReader } from '../backbone/segments/reader.ts';
import { openSegmentWriter } from '../backbone/segments/writer.ts';
import { type Broker, startBroker } from '../broker/broker.ts';
import { systemClock } from '../collector/app/clock.ts';
import { type Collector, startCollector } from '../collector/app/collector.ts';
import type { Metric } from '../collector/app/metrics.ts';
import { shownAddress } from './address.ts';
import { brokerMetrics } from './broker-metrics.ts';
import type { Settings } from './config.ts';
import { CliError, type Io } from './io.ts';
import { listenersOf, proxiesOf } from './settings/listening.ts';

const DAY_MS = 86_400_000;

/** Something that runs until it is stopped. `failed` rejects where it cannot go on. */
export interface Running {
  failed?: Promise<never>;
  /** Where it has files to read again: SIGHUP asks for that, and stops nothing. */
  reload?(): Promise<void>;
  stop(): Promise<void>;
}

export interface RunningBroker extends Running {
  broker: Broker;
}

export function openDataDir(settings: Settings): Promise<Layout> {
  return prepareDataDir(settings.dataDir);
}

export async function runBroker(settings: Settings, paths: Layout, io: Io): Promise<RunningBroker> {
  const log = await openSegmentWriter(paths.brokersLog, {
    maxAgeMs: settings.logDays * DAY_MS,
    maxBytes: settings.logMaxBytes,
    reserveBytes: settings.logReserveBytes,
    consumers: ['watch', 'feed'],
    onFill: fillAlarm((line) => io.say(`broker: ${line}`)),
  });
  const { cut } = log.recovery;
  if (cut) io.say(`broker: the log ended in a torn batch, which nobody was told of: ${cut.bytes} bytes cut from ${cut.path}`);
  if (log.recovery.lostBatches > 0) io.say(`broker: ${log.recovery.lostBatches} batches at the log's end are damaged: verify this disk`);
  const control = await openSegmentReader(paths.controlLog);
  const closeLogs = async () => {
    await control.close();
    await log.close();
  };
  try {
    const broker = await startBroker({
      node: settings.node,
      listeners: listenersOf(settings),
      tls: settings.tls,
      proxies: proxiesOf(settings),
      limits: settings.limits,
      log,
      control,
      keysFile: paths.keys,
      say: io.say,
    });
    for (const { scheme, ...address } of broker.addresses) io.say(`broker: ${scheme}://${shownAddress(address)}`);
    return {
      broker,
      ...(settings.tls ? { reload: broker.reload } : {}),
      stop: async () => {
        await broker.stop();
        await closeLogs();
      },
    };
  } catch (error) {
    await closeLogs();
    throw error;
  }
}

interface CollectorExtras {
  recordFile?: string | undefined;
  extraMetrics?: () => Metric[];
}

export async function runCollector(settings: Settings, paths: Layout, io: Io, extras: CollectorExtras): Promise<Collector> {
  try {
    const { influx, kept, maxSeries, logDays, quarantineDays, http, rules, webhookAllow } = settings;
    const collector = await startCollector({
      paths,
      http,
      influx,
      kept,
      maxSeries,
      logDays,
      quarantineDays,
      rules: rules?.document,
      webhookAllow: webhookAllow.ranges,
      clock: systemClock,
      random: randomBytes,
      say: io.say,
      ...extras,
    });
    io.say(`collector: ${collector.url}, points go to ${influx ? `InfluxDB at ${influx.url}` : paths.store}`);
    io.say(`admin token${collector.adminToken.made ? ' (made now)' : ''}: ${collector.adminToken.path}`);
    return collector;
  } catch (error) {
    throw addressProblem(error, 'TILLWATCH_HTTP_LISTEN', settings.http);
  }
}

/** Broker and collector in one place; to be stopped in turn, the last first: the broker says its last before the collector reads it. */
export async function runAll(
  settings: Settings,
  io: Io,
  { recordFile }: Pick<CollectorExtras, 'recordFile'> = {},
): Promise<[Collector, RunningBroker]> {
  const paths = await openDataDir(settings);
  let broker: RunningBroker | undefined;
  const extraMetrics = () => (broker ? brokerMetrics(broker.broker.stats()) : []);
  const collector = await runCollector(settings, paths, io, { recordFile, extraMetrics });
  try {
    broker = await runBroker(settings, paths, io);
  } catch (error) {
    await collector.stop();
    throw error;
  }
  return [collector, broker];
}

/** Aborts when a signal asks this process to stop. A second one ends it at once. */
export function stopAsked(io: Io, names: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP']): AbortSignal {
  const asked = new AbortController();
  for (const name of names) {
    process.on(name, () => {
      if (asked.signal.aborted) process.exit(1);
      io.say('stopping');
      asked.abort();
    });
  }
  return asked.signal;
}

/** Runs until a signal to stop or a failure, then stops the parts, the last started first. */
export async function untilStopped(parts: readonly Running[], io: Io): Promise<void> {
  const reloads = parts.flatMap(({ reload }) => (reload ? [reload] : []));
  const asked = reloads.length > 0 ? stopAsked(io, ['SIGTERM', 'SIGINT']) : stopAsked(io);
  if (reloads.length > 0) process.on('SIGHUP', () => void Promise.all(reloads.map((reload) => reload())));
  try {
    await Promise.race([aborted(asked), ...failuresOf(parts)]);
  } finally {
    await stopAll(parts);
  }
}

/** Resolves once the signal has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export function failuresOf(parts: readonly Running[]): Promise<never>[] {
  return parts.flatMap(({ failed }) => (failed ? [failed] : []));
}

/** The last started first. */
export async function stopAll(parts: readonly Running[]): Promise<void> {
  for (const part of parts.toReversed()) await part.stop();
}

/** The system's words for an address that cannot be had, as one line that says what to do. */
function addressProblem(error: unknown, setting: string, address: { host: string; port: number }): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EADDRINUSE')
    return new CliError(`${shownAddress(address)} is taken by another program: stop it, or give another address in ${setting}`);
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CliError(`${shownAddress(address)} cannot be listened on (${code}): give another address in ${setting}`);
  }
  return error;
}
