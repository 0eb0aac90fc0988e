/**
 * What stands in InfluxDB: measurements, their tags and their fields, as the contract lays them out. Queries take their names from
 * here alone, so none can name what does not exist.
 */
import type { Sample } from '../../protocol/schemas/sample.ts';

/** The members of a sample as fields of a point: their path, joined by `_`. */
type Flat<T> = {
  [K in keyof T & string]: NonNullable<T[K]> extends string | number | boolean ? K : `${K}_${Flat<NonNullable<T[K]>>}`;
}[keyof T & string];

interface Fields {
  terminal: 'seq' | 'skew' | Flat<Omit<Sample, 'at' | 'outcomes'>>;
  outcomes: 'n' | 'terminals';
  presence: 'state' | 'expected';
  alert: 'id' | 'transition' | 'merchant' | 'sn' | 'reason' | 'cause';
  merchant: 'limit' | 'held' | 'pending' | 'reclaimable' | 'headroom';
}

interface Tags {
  terminal: 'acquirer' | 'merchant' | 'site' | 'sn' | 'model' | 'app';
  outcomes: 'acquirer' | 'merchant' | 'system' | 'code' | 'class' | 'card' | 'kind';
  presence: 'acquirer' | 'merchant' | 'site' | 'sn';
  alert: 'acquirer' | 'type' | 'severity';
  merchant: 'acquirer' | 'merchant';
}

export type Measurement = keyof Fields;
export type Field<M extends Measurement> = Fields[M];
export type Tag<M extends Measurement> = Tags[M];

/** A terminal's and a merchant's state is written on change, and a terminal's each hour, a merchant's each day, whatever happens. */
export const PRESENCE_WITHIN = '2h';
export const MERCHANT_WITHIN = '2d';

/** An alert is written when it changes, and may fire for long: how far back its last change is looked for. */
export const ALERT_WITHIN = '90d';
