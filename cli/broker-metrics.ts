/** What a broker in the collector's process counts, for the collector's page of metrics. */
import type { BrokerStats } from '../broker/broker.ts';
import type { Metric } from '../collector/app/metrics.ts';

export function brokerMetrics(stats: BrokerStats): Metric[] {
  const { connections, published, pendingAppends, failedAppends, refusals, limits, controlLagMs, log } = stats;
  return [
    { name: 'tillwatch_broker_connections', help: 'open MQTT connections', values: { '': connections } },
    { name: 'tillwatch_broker_published_total', help: 'messages that became durable, by channel', values: published },
    { name: 'tillwatch_broker_pending_appends', help: 'messages that wait for the log', values: { '': pendingAppends } },
    { name: 'tillwatch_broker_failed_appends_total', help: 'messages that the log did not take', values: { '': failedAppends } },
    { name: 'tillwatch_broker_refusals_total', help: 'what was refused, by reason', values: refusals as Record<string, number> },
    { name: 'tillwatch_broker_limits_total', help: 'how often each limit acted: docs/limits.md', values: limits },
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
