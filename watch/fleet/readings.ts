/** What one sample says of the radio, in the three quantities that every kind of radio has some of. */
import type { Rat, Sample } from '../../protocol/schemas/sample.ts';
import { type Bands, bandsOf, type Metric } from '../../protocol/signal/bands.ts';
import { hexCode, isMeasurable } from '../../protocol/signal/known.ts';

/** `level` is the power (RSRP, RSCP, RSSI; dBm), `quality` its share of all power (RSRQ, Ec/N0; dB), `sinr` in dB. */
export const QUANTITIES = ['level', 'quality', 'sinr'] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** Null in place of a quantity: unknown. At least one is known. */
export interface Reading extends Record<Quantity, number | null> {
  rat: Rat;
  /** `460-00-9cba-76c6c`; null where a part of it is unknown: a cell id alone names cells of several operators. */
  cell: string | null;
}

type Radio = NonNullable<Sample['radio']>;

const OF_LTE = { level: 'rsrp', quality: 'rsrq', sinr: 'sinr' } as const;
const METRICS: Record<Rat, Partial<Record<Quantity, Metric>>> = {
  gsm: { level: 'rssi' },
  umts: { level: 'rscp', quality: 'ecno' },
  lte: OF_LTE,
  nr: OF_LTE,
  wifi: { level: 'rssi' },
  none: {},
};

/** The medians of an interval's summary, by the quantity that they are of. */
const MEDIANS = { level: 'rsrpMedian', quality: 'rsrqMedian', sinr: 'sinrMedian' } as const;
/** A median of fewer readings is no better than the one at the end. */
const LEAST_READS = 3;

const EDGES = Object.fromEntries(
  Object.entries(METRICS).map(([rat, metrics]) => [
    rat,
    Object.fromEntries(Object.entries(metrics).map(([quantity, metric]) => [quantity, bandsOf(rat as Rat, metric)])),
  ]),
) as Record<Rat, Partial<Record<Quantity, Bands>>>;

/** The bands of a quantity, or undefined where that radio does not have it. */
export function edgesOf(rat: Rat, quantity: Quantity): Bands | undefined {
  return EDGES[rat][quantity];
}

/**
 * The interval's medians where the summary is of the radio that is in use: they stand for the whole interval, and the signal for the one
 * moment at its end, in which somebody may stand before the antenna. Null where nothing is known.
 */
export function readingOf({ signal, radio }: Pick<Sample, 'signal' | 'radio'>): Reading | null {
  const rat = ratOf(signal, radio);
  if (!rat) return null;
  const summary = radio && isSummaryOf(rat, radio) ? radio : undefined;
  const reading: Reading = { rat, level: null, quality: null, sinr: null, cell: cellOf(signal) };
  let isKnown = false;
  for (const quantity of QUANTITIES) {
    const metric = METRICS[rat][quantity];
    if (!metric) continue;
    const value = known(metric, summary?.[MEDIANS[quantity]]) ?? known(metric, signal?.[metric]);
    reading[quantity] = value;
    isKnown ||= value !== null;
  }
  return isKnown ? reading : null;
}

/** Where the radio is not named, RSRP and RSCP say which it is; LTE and NR share their bands but for `good`. */
function ratOf(signal: Sample['signal'], radio: Sample['radio']): Rat | undefined {
  if (signal?.rat) return signal.rat;
  if (signal?.rscp !== undefined) return 'umts';
  return signal?.rsrp !== undefined || radio?.rsrpMedian !== undefined ? 'lte' : undefined;
}

/** RSRP, RSRQ and SINR are of LTE and NR; and an interval that was mostly spent on another radio is not of this one. */
function isSummaryOf(rat: Rat, { seconds, secondsByRat, reads, unknown = 0 }: Radio): boolean {
  if (rat !== 'lte' && rat !== 'nr') return false;
  if (reads !== undefined && reads - unknown < LEAST_READS) return false;
  if (!secondsByRat) return true;
  const whole = seconds ?? Object.values(secondsByRat).reduce((sum, n) => sum + n, 0);
  return 2 * (secondsByRat[rat] ?? 0) >= whole;
}

function known(metric: Metric, value: number | undefined): number | null {
  return value !== undefined && isMeasurable(metric, value) ? value : null;
}

function cellOf(signal: Sample['signal']): string | null {
  const [lac, cell] = [hexCode(signal?.lac), hexCode(signal?.cell)];
  return signal?.mcc && signal.mnc && lac && cell ? [signal.mcc, signal.mnc, lac, cell].join('-') : null;
}
