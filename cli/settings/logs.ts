/** The settings of how much and how long the logs and quarantine keep. */
import { LEAST_LOG_BYTES } from '../../backbone/segments/writer.ts';
import type { Reader } from './reader.ts';
import type { Setting } from './setting.ts';

export interface LogsKept {
  /** How many days the logs are kept, and what the brokers' log may take and must leave free, bytes. */
  logDays: number;
  logMaxBytes: number;
  logReserveBytes: number;
  /** How many days quarantine keeps what it has. */
  quarantineDays: number;
}

const GIB = 1024 ** 3;

export const LOG_SETTINGS: readonly Setting<LogsKept>[] = [
  { name: 'TILLWATCH_LOG_DAYS', default: '30', help: 'days that the logs are kept', shown: (s) => String(s.logDays) },
  {
    name: 'TILLWATCH_LOG_MAX_BYTES',
    default: String(64 * GIB),
    help: `what the brokers' log may take, bytes; at least ${LEAST_LOG_BYTES}`,
    shown: (s) => String(s.logMaxBytes),
  },
  {
    name: 'TILLWATCH_LOG_RESERVE_BYTES',
    default: String(GIB),
    help: "disk space that the brokers' log leaves free, bytes",
    shown: (s) => String(s.logReserveBytes),
  },
  {
    name: 'TILLWATCH_QUARANTINE_DAYS',
    default: '30',
    help: 'days that quarantine keeps what could not be taken in',
    shown: (s) => String(s.quarantineDays),
  },
];

export function readLogs({ amount }: Reader): LogsKept {
  return {
    logDays: amount('TILLWATCH_LOG_DAYS'),
    logMaxBytes: amount('TILLWATCH_LOG_MAX_BYTES', LEAST_LOG_BYTES),
    logReserveBytes: amount('TILLWATCH_LOG_RESERVE_BYTES'),
    quarantineDays: amount('TILLWATCH_QUARANTINE_DAYS'),
  };
}
