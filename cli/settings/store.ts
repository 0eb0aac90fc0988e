/** The settings of where points go, how long they are kept, and how many series there may be. */
import { readAccess } from './access.ts';
import type { Reader } from './reader.ts';
import type { Setting } from './setting.ts';

export interface StoreSettings {
  influx: { url: string; token: string; org: string; bucket: string } | undefined;
  /** How many days the store keeps samples, and how many everything else. */
  kept: { rawDays: number; rollupDays: number };
  /** How many series a measurement may have in the store. */
  maxSeries: number;
}

export const STORE_SETTINGS: readonly Setting<StoreSettings>[] = [
  {
    name: 'INFLUX_URL',
    default: '',
    help: 'an InfluxDB 2 server; without it points go to an embedded DuckDB',
    shown: (s) => s.influx?.url ?? '',
  },
  {
    name: 'INFLUX_TOKEN',
    default: '',
    help: 'a token that may write to both buckets, or make the second',
    shown: (s) => s.influx?.token ?? '',
    needs: 'INFLUX_URL',
    secret: true,
  },
  { name: 'INFLUX_ORG', default: 'tillwatch', help: 'the organisation', shown: (s) => s.influx?.org ?? '', needs: 'INFLUX_URL' },
  {
    name: 'INFLUX_BUCKET',
    default: 'tillwatch',
    help: 'the bucket; roll-ups go to another, its name with "_5m"',
    shown: (s) => s.influx?.bucket ?? '',
    needs: 'INFLUX_URL',
  },
  {
    name: 'TILLWATCH_RAW_DAYS',
    default: '30',
    help: 'days that samples are kept in the store as they came; 0: for ever',
    shown: (s) => String(s.kept.rawDays),
  },
  {
    name: 'TILLWATCH_ROLLUP_DAYS',
    default: '400',
    help: 'days that roll-ups of five minutes, outcomes, presence and alerts are kept in the store; 0: for ever',
    shown: (s) => String(s.kept.rollupDays),
  },
  {
    name: 'TILLWATCH_MAX_SERIES',
    default: '200000',
    help: 'sets of tags that a measurement may have in the store; points of further ones go to quarantine',
    shown: (s) => String(s.maxSeries),
  },
];

export function readStore(reader: Reader): StoreSettings {
  const { text, amount } = reader;
  const access = readAccess(reader, {
    url: 'INFLUX_URL',
    token: 'INFLUX_TOKEN',
    example: 'http://127.0.0.1:8086',
    wanted: 'a token that may write to the bucket',
  });
  return {
    influx: access && { ...access, org: text('INFLUX_ORG'), bucket: text('INFLUX_BUCKET') },
    kept: { rawDays: amount('TILLWATCH_RAW_DAYS'), rollupDays: amount('TILLWATCH_ROLLUP_DAYS') },
    maxSeries: amount('TILLWATCH_MAX_SERIES', 1),
  };
}
