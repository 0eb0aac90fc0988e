import type { Rat, Signal } from '../schemas/sample.ts';

export type Band = 'good' | 'fair' | 'weak' | 'critical';
export type Metric = Extract<keyof Signal, 'rsrp' | 'rsrq' | 'sinr' | 'rscp' | 'ecno' | 'rssi'>;

/** Where the bands of one metric begin. Units: dBm for rsrp, rscp and rssi, dB for rsrq, sinr and ecno; `hysteresis` is in dB. */
export interface Bands {
  rat: Rat;
  metric: Metric;
  goodFrom: number;
  fairFrom: number;
  weakFrom: number;
  criticalBelow: number;
  /** How far above a band's edge a value must come back before what its fall raised is cleared. */
  hysteresis: number;
}

/** Source: signal-bands.csv, the product's table of bands (its ss_rsrp, ss_rsrq and ss_sinr of nr are rsrp, rsrq and sinr here). */
export const BANDS: readonly Bands[] = [
  bands('lte', 'rsrp', -95, -105, -115, -115, 3),
  bands('lte', 'rsrq', -10, -15, -19, -19, 2),
  bands('lte', 'sinr', 10, 3, -3, -3, 2),
  bands('nr', 'rsrp', -90, -105, -115, -115, 3),
  bands('nr', 'rsrq', -10, -15, -19, -19, 2),
  bands('nr', 'sinr', 10, 3, -3, -3, 2),
  bands('umts', 'rscp', -85, -95, -105, -110, 3),
  bands('umts', 'ecno', -8, -12, -16, -18, 2),
  bands('gsm', 'rssi', -85, -95, -104, -107, 3),
  bands('wifi', 'rssi', -60, -67, -75, -85, 3),
];

const byKey = new Map(BANDS.map((b) => [`${b.rat}.${b.metric}`, b]));

/** The bands of a metric on a radio, or undefined where it has none. */
export function bandsOf(rat: Rat, metric: keyof Signal): Bands | undefined {
  return byKey.get(`${rat}.${metric}`);
}

/** The band of a value, or undefined where the metric has none on that radio. Between `weakFrom` and `criticalBelow` it is still weak. */
export function bandOf(rat: Rat, metric: keyof Signal, value: number): Band | undefined {
  const edges = bandsOf(rat, metric);
  if (!edges) return undefined;
  if (value >= edges.goodFrom) return 'good';
  if (value >= edges.fairFrom) return 'fair';
  return value >= edges.criticalBelow ? 'weak' : 'critical';
}

function bands(
  rat: Rat,
  metric: Metric,
  goodFrom: number,
  fairFrom: number,
  weakFrom: number,
  criticalBelow: number,
  hysteresis: number,
): Bands {
  return { rat, metric, goodFrom, fairFrom, weakFrom, criticalBelow, hysteresis };
}
