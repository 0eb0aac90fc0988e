/** What is kept of a terminal's radio: its day, its weeks, and the signs that it will not hold. Only where it ever told of a signal. */
import type { Sample } from '../../protocol/schemas/sample.ts';
import { distanceMeters, type Point, toWgs84 } from './datums.ts';
import { isNowhere } from './places.ts';
import { QUANTITIES, type Quantity, type Reading } from './readings.ts';
import { newSignalDay, noteDay, type SignalDay } from './signal-day.ts';

const DAY_MS = 86_400_000;
/** Days heard that are remembered: as many as fit a small integer. */
const DAYS_KEPT = 28;
/** A fix in ten-thousandths of a degree is 11 m at worst, which a hexagon or a move are far above. */
const FIX_PER_DEGREE = 10_000;
/** A fixed terminal that is this far from its last fix was moved: metres, and times the accuracy of the two. */
const MOVED_METERS = 500;
const MOVED_ACCURACIES = 3;

/** A set of quantities, a bit each in the order of QUANTITIES. */
export type QuantitySet = number;

export function bitOf(quantity: Quantity): QuantitySet {
  return 1 << QUANTITIES.indexOf(quantity);
}

/** Where it was, WGS-84, in ten-thousandths of a degree; accuracy in metres. */
interface Fix {
  lat: number;
  lon: number;
  accuracy: number;
}

/** What is seen of the radio that may go on to an alert. Each sign, once there, stands until what is heard says otherwise. */
export interface Signs {
  /** Samples in a row with a quantity under its band; negative: in a row with all of them well above it. */
  run: number;
  /** The quantities that are under the band, or not yet back above it by its hysteresis. */
  weak: QuantitySet;
  band: boolean;
  /** Samples in a row far under the median of the day before. */
  stepRun: number;
  step: boolean;
  /** The levels of the last reports: see recent.ts. */
  recent: string;
  trend: boolean;
  /** Of the last hour: when, and how many, in turns. Null where there were none. */
  reconnects: number[] | null;
  reconnecting: boolean;
}

/** What the agent said last of its own watch, at `at`; `warning` null where all is well again. */
export interface AgentWord {
  at: number;
  warning: AgentWarning | null;
}

/** As its event has it: dBm and dB. */
export interface AgentWarning {
  risk?: number | undefined;
  cause?: string | undefined;
  cell?: string | undefined;
  rsrp?: number | undefined;
  rsrq?: number | undefined;
  sinr?: number | undefined;
}

/** The days of weeks by quantity, the newest in the lowest bit: set where it was weak and the terminal worked all the same. */
export interface Weeks extends Record<Quantity, number> {
  /** The day that is under way, counted from the epoch. */
  day: number;
  /** What was weak in it, and whether it did not work in it. */
  weak: QuantitySet;
  broke: boolean;
}

export interface Coverage {
  /** When the newest reading was taken: what is older is history. */
  at: number;
  /** The newest reading, and the day of readings; null where there was none. */
  reading: Omit<Reading, 'cell'> | null;
  day: SignalDay | null;
  /** The last cell that was named, and when it came to it from another. */
  cell: string | null;
  cellSince: number | null;
  /** When it was last seen to move. */
  movedAt: number | null;
  fix: Fix | null;
  /** Null where nothing was weak in them. */
  weeks: Weeks | null;
  signs: Signs;
  agent: AgentWord | null;
  /** Whether it was told that this terminal lives in a weak band: once is enough. */
  told: boolean;
}

export function newCoverage(): Coverage {
  return {
    at: 0,
    reading: null,
    day: null,
    cell: null,
    cellSince: null,
    movedAt: null,
    fix: null,
    weeks: null,
    signs: { run: 0, weak: 0, band: false, stepRun: 0, step: false, recent: '', trend: false, reconnects: null, reconnecting: false },
    agent: null,
    told: false,
  };
}

/** Takes in the newest sample's reading: what it changes is no sign by itself. */
export function noteReading(c: Coverage, at: number, reading: Reading): void {
  c.day ??= newSignalDay(reading.rat);
  noteDay(c.day, at, reading);
  if (reading.cell !== null && reading.cell !== c.cell) {
    if (c.cell !== null) c.cellSince = at;
    c.cell = reading.cell;
  }
  const { rat, level, quality, sinr } = reading;
  c.reading = { rat, level, quality, sinr };
}

/** Takes in where the newest sample was taken. */
export function notePlace(c: Coverage, at: number, { place, radio }: Sample): void {
  if (radio?.moving) c.movedAt = at;
  if (!place || isNowhere(place)) return;
  const { lat, lon } = toWgs84(place);
  const fix = { lat: Math.round(lat * FIX_PER_DEGREE), lon: Math.round(lon * FIX_PER_DEGREE), accuracy: Math.round(place.accuracy ?? 0) };
  if (c.fix && isMove(c.fix, fix)) c.movedAt = at;
  c.fix = fix;
}

/** Degrees, WGS-84, and metres of accuracy; null where it never told, or too vaguely for `withinMeters`. */
export function fixOf({ fix }: Readonly<Coverage>, withinMeters: number): Point | null {
  return fix && fix.accuracy <= withinMeters ? degreesOf(fix) : null;
}

function isMove(a: Fix, b: Fix): boolean {
  return distanceMeters(degreesOf(a), degreesOf(b)) > Math.max(MOVED_METERS, MOVED_ACCURACIES * Math.max(a.accuracy, b.accuracy));
}

function degreesOf({ lat, lon }: Fix): Point {
  return { lat: lat / FIX_PER_DEGREE, lon: lon / FIX_PER_DEGREE };
}

/**
 * Closes the day before where a new one has begun; a day in which nothing was heard is no day. Kept only for a terminal that was weak in
 * the last weeks: few are.
 */
export function noteWeeks(c: Coverage, at: number): void {
  const { signs } = c;
  const day = Math.floor(at / DAY_MS);
  if (c.weeks && day > c.weeks.day) c.weeks = closed(c.weeks, day);
  if (!c.weeks) c.told = false;
  if (!signs.band) return;
  c.weeks ??= { day, weak: 0, broke: false, level: 0, quality: 0, sinr: 0 };
  c.weeks.weak |= signs.weak;
}

function closed(weeks: Weeks, day: number): Weeks | null {
  const weak = weeks.broke ? 0 : weeks.weak;
  const next: Weeks = { ...weeks, day, weak: 0, broke: false };
  for (const quantity of QUANTITIES) next[quantity] = shifted(weeks[quantity], (weak & bitOf(quantity)) !== 0);
  return next.level | next.quality | next.sinr ? next : null;
}

/** The terminal did not work as it should: whatever is weak today is not its normal life. */
export function noteBroken({ weeks }: Coverage): void {
  if (weeks) weeks.broke = true;
}

/** The quantities that were weak on at least `least` of the last `of` days heard, while the terminal worked. */
export function usuallyWeak({ weeks }: Readonly<Coverage>, least: number, of: number): QuantitySet {
  if (!weeks) return 0;
  const mask = 2 ** Math.min(of, DAYS_KEPT) - 1;
  return QUANTITIES.reduce((set, quantity) => (bits(weeks[quantity] & mask) >= least ? set | bitOf(quantity) : set), 0);
}

function shifted(days: number, bit: boolean): number {
  return ((days << 1) | (bit ? 1 : 0)) & (2 ** DAYS_KEPT - 1);
}

function bits(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count++;
  return count;
}
