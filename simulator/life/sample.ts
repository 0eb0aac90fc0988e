/** One look at a terminal: what its agent would report. */
import type { Sample } from '../../protocol/schemas/sample.ts';
import { draw, percent, permille, weighted } from '../random.ts';
import { LIFE, SALES, SIGNAL, TERMINAL } from '../ranges.ts';
import type { Life } from '../state.ts';

const DAY_MS = 86_400_000;
const HOUR_SECONDS = 3600;
/** Metres around its place that a mobile terminal roams, against one of a fixed one. */
const ROAMING = 200;

/** `at`: when it is taken. `seconds`: since the one before. */
export function takeSample(life: Life, at: number, seconds: number): Sample {
  const { plan, stream } = life;
  if (percent(stream, SIGNAL.stepPercent)) walk(life);
  const sample: Sample = {
    at,
    signal: signalOf(life),
    power: { battery: plan.battery / 100, mains: plan.site.use === 'fixed' },
    link: { reconnects: life.reconnects, registrations: life.reconnects, connectedSeconds: seconds },
  };
  const outcomes = salesOf(life, seconds);
  if (outcomes.length > 0) sample.outcomes = outcomes;
  if (plan.sumsRadio) sample.radio = radioOf(sample, seconds);
  life.reconnects = 0;
  if (life.sinceSlow++ % LIFE.slowEvery === 0) addSlow(life, sample, at);
  for (const { from, to, change } of life.overlays) if (from <= at && at < to) change(sample, at, life);
  return sample;
}

/** The middle of the signal wanders. */
function walk(life: Life): void {
  life.walk = Math.min(SIGNAL.walkDb[1], Math.max(SIGNAL.walkDb[0], life.walk + draw(life.stream, SIGNAL.noiseDb)));
}

/** What changes slowly: not in every report. */
export function addSlow(life: Life, sample: Sample, at: number): void {
  const { plan, merchant } = life;
  sample.bindings = {
    terminals: { bound: merchant.held, limit: merchant.limit },
    peripherals: { bound: plan.peripherals, limit: plan.peripheralLimit },
  };
  sample.sim = { usedBytes: simUsed(life, at) };
  if (plan.knowsPlace) sample.place = placeOf(life);
}

/** The SIM plan's use at a steady pace since its last reset, bytes. */
function simUsed(life: Life, at: number): number {
  const { simPlanBytes, simResetDay, simDailyUse } = life.plan;
  if (at >= life.simUntil) {
    const offset = life.merchant.plan.town.region.offsetMinutes * 60_000;
    const local = new Date(at + offset);
    const month = local.getUTCMonth() - (local.getUTCDate() < simResetDay ? 1 : 0);
    life.simFrom = Date.UTC(local.getUTCFullYear(), month, simResetDay) - offset;
    life.simUntil = Date.UTC(local.getUTCFullYear(), month + 1, simResetDay) - offset;
  }
  return Math.round((simPlanBytes * simDailyUse * ((at - life.simFrom) / DAY_MS)) / 10_000);
}

/** A fix near its place, `awayMetres` to the north of it. */
export function placeOf({ plan, stream }: Life, awayMetres = 0): NonNullable<Sample['place']> {
  const { lat, lon, use } = plan.site;
  const wander = use === 'fixed' ? 1 : ROAMING;
  // A hundred-thousandth of a degree is about a metre.
  const near = (tenThousandths: number) => tenThousandths * 10 + draw(stream, [-wander, wander]);
  const accuracy = draw(stream, TERMINAL.accuracyMetres);
  return { lat: (near(lat) + Math.round(awayMetres * 0.9)) / 100_000, lon: near(lon) / 100_000, datum: 'wgs84', accuracy };
}

function signalOf({ plan, walk, stream, merchant }: Life): NonNullable<Sample['signal']> {
  const rsrp = plan.rsrp + walk + draw(stream, SIGNAL.noiseDb);
  const { operator, site } = plan;
  return {
    rat: 'lte',
    rsrp,
    rsrq: plan.rsrq + draw(stream, SIGNAL.noiseDb),
    sinr: plan.sinr + draw(stream, SIGNAL.noiseDb),
    rssi: rsrp + plan.rssiOver,
    mcc: operator.slice(0, 3),
    mnc: operator.slice(4),
    lac: merchant.plan.town.lac,
    cell: site.cell,
  };
}

/** The interval summed up, of a radio that stands as still as its sample. */
export function radioOf({ signal }: Sample, seconds: number): NonNullable<Sample['radio']> {
  const { rsrp = 0, sinr = 0, rsrq = 0 } = signal!;
  return {
    seconds,
    reads: Math.floor(seconds / 3),
    unknown: 0,
    rsrpMin: rsrp - 3,
    rsrpP10: rsrp - 2,
    rsrpMedian: rsrp,
    rsrpLast: rsrp,
    sinrP10: sinr - 2,
    sinrMedian: sinr,
    rsrqMedian: rsrq,
    weakSeconds: rsrp < -108 ? seconds : 0,
    criticalSeconds: rsrp < -115 ? seconds : 0,
    noisySeconds: sinr < -6 ? seconds : 0,
    cellChanges: 0,
    secondsByRat: { lte: seconds },
    risk: rsrp < -108 ? 0.6 : 0.02,
    moving: false,
  };
}

type Outcomes = NonNullable<Sample['outcomes']>;

export function addOutcome(sample: Sample, outcome: Outcomes[number]): void {
  sample.outcomes = [...(sample.outcomes ?? []), outcome];
}

function salesOf({ plan, stream }: Life, seconds: number): Outcomes {
  const outcomes: Outcomes = [];
  // In ten-thousandths of a sale; what is left over is drawn.
  const mean = Math.floor((plan.salesPerHour * seconds * draw(stream, SALES.spreadPercent) * 100) / HOUR_SECONDS);
  const n = Math.floor(mean / 10_000) + (draw(stream, [0, 9_999]) < mean % 10_000 ? 1 : 0);
  if (n > 0) outcomes.push({ system: 'unionpay', code: '00', n, card: weighted(stream, SALES.cards), kind: 'sale' });
  if (n > 0 && percent(stream, SALES.declinePercent)) {
    outcomes.push({ system: 'unionpay', code: weighted(stream, SALES.declines), n: 1, card: weighted(stream, SALES.cards), kind: 'sale' });
  }
  if (permille(stream, SALES.refundPermille)) outcomes.push({ system: 'unionpay', code: '00', n: 1, card: 'credit', kind: 'refund' });
  if (permille(stream, SALES.timeoutPermille)) outcomes.push({ system: 'local', code: 'timeout', n: 1, card: 'debit', kind: 'sale' });
  return outcomes;
}
