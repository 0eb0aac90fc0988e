import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LogReader } from '../../backbone/log.ts';
import type { Fill } from '../../backbone/segments/fill.ts';
import { type LeadTime, leadTimeReport } from '../../watch/alerts/reports.ts';
import { COMMAND_OUTCOMES } from '../../watch/fleet/commands.ts';
import type { Feed } from '../feed/feed.ts';
import type { Owner } from '../owner/owner.ts';
import type { Kind, Tallies } from '../owner/quarantine.ts';
import type { TelemetryStore } from '../store/port.ts';
import type { Book } from '../webhooks/book.ts';
import type { Courier } from '../webhooks/courier.ts';

const DAY_MS = 86_400_000;
const WARNINGS_DAYS = 30;

/** A metric by the kinds it counts; the kind '' stands for the metric as a whole. */
export interface Metric {
  name: string;
  help: string;
  values: Record<string, number>;
}

/** What another part in the same process counts. */
export type ExtraMetrics = () => Metric[];

/** The collector's parts that count. */
export interface Counted {
  owner: Owner;
  feed: Feed;
  store: TelemetryStore;
  book: Book;
  courier: Courier;
  brokersLog: LogReader;
  /** How full the brokers' log is, as its writer said last. */
  fill(): Fill | undefined;
}

/** The page of metrics, read from the parts at the moment of asking. Names follow Prometheus: a unit or `_total` at the end. */
export function createMetrics(counted: Counted, extra: ExtraMetrics): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'tillwatch_' });
  const show = ({ name, help, values }: Metric) => {
    const known = registry.getSingleMetric(name) as Gauge | undefined;
    const gauge = known ?? new Gauge({ name, help, labelNames: ['kind'], registers: [registry] });
    gauge.reset();
    for (const [kind, value] of Object.entries(values)) kind === '' ? gauge.set(value) : gauge.set({ kind }, value);
  };
  return async () => {
    const end = await counted.brokersLog.end();
    for (const metric of [
      ...ours(counted, end),
      ...ofLog(counted.fill()),
      ...ofWarnings(counted.owner),
      ...ofWebhooks(counted),
      ...extra(),
    ])
      show(metric);
    return registry.metrics();
  };
}

function ours({ owner: { watch, position, quarantine }, feed, store }: Counted, end: number): Metric[] {
  const { stats, fold } = feed;
  const behind = (batch: number) => ({ '': Math.max(0, end + 1 - batch) });
  return [
    { name: 'tillwatch_terminals', help: 'terminals known', values: { '': watch.state.terminals.size } },
    { name: 'tillwatch_merchants', help: 'merchants known', values: { '': watch.state.merchants.size } },
    { name: 'tillwatch_alerts_firing', help: 'alerts that are firing', values: { '': watch.state.alerts.size } },
    { name: 'tillwatch_watch_time_seconds', help: 'the time that the watch has come to', values: { '': watch.now / 1000 } },
    { name: 'tillwatch_watch_lag_batches', help: "batches of the brokers' log not yet folded", values: behind(position.brokers.batch) },
    {
      name: 'tillwatch_feed_lag_batches',
      help: "batches of the brokers' log not yet fed to the store",
      values: behind(feed.position.brokers.batch),
    },
    {
      name: 'tillwatch_feed_lag_seconds',
      help: 'how far what is written to the store is behind the watch, by the time of the log',
      values: stats.writtenAt === 0 ? {} : { '': Math.max(0, watch.now - stats.writtenAt) / 1000 },
    },
    { name: 'tillwatch_feed_points_total', help: 'points written to the store', values: { '': stats.points } },
    { name: 'tillwatch_feed_writes_total', help: 'batches written to the store', values: { '': stats.writes } },
    { name: 'tillwatch_feed_failures_total', help: 'writes that failed and were tried again, by why', values: stats.failures },
    { name: 'tillwatch_feed_rejected_total', help: 'points that the store will never take', values: { '': stats.rejected } },
    { name: 'tillwatch_feed_crowded_total', help: 'points in quarantine as their measurement has too many series', values: fold.crowded },
    {
      name: 'tillwatch_store_series',
      help: 'series written within the days that samples are kept, by measurement',
      values: fold.seriesCounts(),
    },
    { name: 'tillwatch_store_sent_bytes_total', help: 'bytes sent to InfluxDB', values: { '': store.sentBytes } },
    {
      name: 'tillwatch_quarantine_dropped_total',
      help: 'quarantined rows that were dropped before their time, being too many of all or of one sender',
      values: {
        ...dropped('refusal', quarantine.tallies),
        ...dropped('message', quarantine.tallies),
        ...dropped('point', feed.quarantine.tallies),
      },
    },
    {
      name: 'tillwatch_commands_total',
      help: 'commands to terminals that came to an end since the start, by their outcome',
      values: Object.fromEntries(COMMAND_OUTCOMES.map((outcome) => [outcome, watch.decisions.get(`command ${outcome}`) ?? 0])),
    },
    {
      name: 'tillwatch_decisions_total',
      help: 'decisions of the watch since its start, by what and why',
      values: Object.fromEntries(watch.decisions),
    },
  ];
}

function dropped(kind: Kind, tallies: Tallies): Record<string, number> {
  const { all, sender } = tallies[kind].dropped;
  return { [`${kind} all`]: all, [`${kind} sender`]: sender };
}

function ofLog(fill: Fill | undefined): Metric[] {
  if (!fill) return [];
  const { size, disk, full } = fill;
  return [
    {
      name: 'tillwatch_log_fill_ratio',
      help: "how full the brokers' log is of what is still unread, of its size limit and of the disk without its reserve",
      values: { size, disk },
    },
    { name: 'tillwatch_log_full', help: "1 while the brokers' log takes nothing for want of space", values: { '': full ? 1 : 0 } },
  ];
}

/** Our own warnings over the last days, as `GET /v1/reports/lead-time` tells of them. */
function ofWarnings({ watch }: Owner): Metric[] {
  const days = watch.reportDays(watch.now - WARNINGS_DAYS * DAY_MS, Number.POSITIVE_INFINITY, null);
  const report = leadTimeReport(days);
  const by = (ask: (one: LeadTime) => number | null) =>
    Object.fromEntries(
      report.flatMap((one) => {
        const value = ask(one);
        return value === null ? [] : [[`${one.warning} ${one.event}`, value]];
      }),
    );
  return [
    {
      name: 'tillwatch_warned_ratio',
      help: `of what happened in the last ${WARNINGS_DAYS} days and could be foreseen, how much was warned of, by warning and event`,
      values: by(({ recall }) => recall),
    },
    {
      name: 'tillwatch_lead_time_seconds',
      help: `how early half of the warnings came that came true in the last ${WARNINGS_DAYS} days, by warning and event`,
      values: by(({ leadSeconds }) => leadSeconds?.median ?? null),
    },
    {
      name: 'tillwatch_false_warnings_ratio',
      help: `how many of the warnings that were decided in the last ${WARNINGS_DAYS} days came to nothing, by warning and event`,
      values: by(({ warnings, cameToNothing }) => (warnings === 0 ? null : cameToNothing / warnings)),
    },
  ];
}

function ofWebhooks({ book, courier }: Counted): Metric[] {
  const endpoints = [...book.endpoints.values()];
  const waiting = [...book.lines.values()].reduce((sum, { size }) => sum + size, 0);
  const count = (wanted: (endpoint: (typeof endpoints)[number]) => boolean) => endpoints.filter(wanted).length;
  return [
    {
      name: 'tillwatch_webhook_endpoints',
      help: 'endpoints, by how they are',
      values: {
        well: count((e) => e.disabled === null && e.failingSince === null),
        failing: count((e) => e.disabled === null && e.failingSince !== null),
        disabled: count((e) => e.disabled !== null),
      },
    },
    { name: 'tillwatch_webhook_waiting', help: 'events that wait for delivery', values: { '': waiting } },
    {
      name: 'tillwatch_webhook_dropped_total',
      help: 'events that went undelivered since the start, being too old or too many',
      values: { '': courier.dropped },
    },
    { name: 'tillwatch_webhook_attempts_total', help: 'attempts since the start, by what came of them', values: courier.attempts },
  ];
}
