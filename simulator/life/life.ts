/** A terminal's day: it opens, reports, loses and finds its connection, and closes. Each step is the next thing that happens. */
import type { Action, Drop, EventType } from '../actions.ts';
import { openingAt } from '../hours.ts';
import { draw, percent, permille } from '../random.ts';
import { LIFE } from '../ranges.ts';
import { type Life, nextBreak } from '../state.ts';
import { takeSample } from './sample.ts';

const MINUTE_MS = 60_000;
const NEVER = Number.POSITIVE_INFINITY;
/** A connection does not break so close to closing: the goodbye belongs to it. */
const CALM_MS = 10 * MINUTE_MS;
/** Samples that a terminal keeps while it is away, and sends in one report. */
const MOST_KEPT = 200;

/** How a story goes: what it is told to, and how fast. */
export interface Telling {
  emit(action: Action): void;
  /** Seconds of the story in one of the clock's. */
  speed: number;
}

/** What a terminal declares, in seconds of the clock. The contract's least: an interval of 1, a keepalive of 5. */
export function declared({ plan }: Life, speed: number): { interval: number; keepalive: number } {
  return {
    interval: Math.max(1, Math.round(plan.intervalSeconds / speed)),
    keepalive: Math.max(5, Math.round(plan.keepaliveSeconds / speed)),
  };
}

const intervalMs = (life: Life, speed: number) => declared(life, speed).interval * 1000 * speed;

/** Puts a terminal at the start of the story. In a compressed story the shops are always open. */
export function begin(life: Life, at: number, speed: number): void {
  const { from } = speed === 1 ? openingAt(life.plan.site.hours, at) : { from: at };
  const early = draw(life.stream, LIFE.earlyMinutes) * MINUTE_MS;
  life.nextAt = Math.max(from - early, at + draw(life.stream, LIFE.rampMs));
  life.breakAt = nextBreak(life, at);
  setClosing(life, Math.max(from, at), speed);
}

export function stepLife(life: Life, telling: Telling): void {
  switch (life.state) {
    case 'off':
      return connect(life, life.nextAt, telling);
    case 'connecting':
      return settle(life, life.nextAt, telling);
    case 'on':
      return live(life, life.nextAt, telling);
    case 'away':
      return wait(life, life.nextAt, telling);
    case 'hung':
      life.state = 'on';
      life.reportAt = life.nextAt;
      return;
    default:
      life.nextAt = NEVER;
  }
}

function setClosing(life: Life, openAt: number, speed: number): void {
  const { to } = speed === 1 ? openingAt(life.plan.site.hours, openAt) : { to: NEVER };
  life.closeAt = to + draw(life.stream, LIFE.lateMinutes) * MINUTE_MS;
}

function connect(life: Life, at: number, { emit, speed }: Telling): void {
  if (life.kept.length > 0) {
    life.keptSession = life.session;
    life.keptSeq = life.seq;
  }
  life.session++;
  life.seq = 0;
  life.state = 'connecting';
  life.alive = true;
  life.backAt = NEVER;
  life.lastAt = at;
  life.nextAt = at + draw(life.stream, LIFE.onlineAfterMs);
  emit({ at, kind: 'connect', life, session: life.session });
  const first = life.nextAt + draw(life.stream, LIFE.firstReportMs);
  const last = life.reportAt - intervalMs(life, speed);
  // After a short break the rhythm goes on; else it begins anew.
  if (life.reportAt < first || last > first) life.reportAt = first;
  life.sinceSlow = 0;
}

/** The new session's messages come first, the old one's follow. */
function settle(life: Life, at: number, { emit }: Telling): void {
  emit({ at, kind: 'online', life, session: life.session });
  if (life.kept.length > 0) {
    emit({ at, kind: 'report', life, session: life.keptSession, seq: life.keptSeq, samples: life.kept, again: false });
    life.kept = [];
  }
  life.state = 'on';
  life.lastAt = at;
  plan(life);
}

function plan(life: Life): void {
  const deed = life.deeds.length > 0 ? life.deeds[0]!.at : NEVER;
  life.nextAt = Math.max(life.lastAt, Math.min(life.reportAt, life.breakAt, life.closeAt, deed));
}

function live(life: Life, at: number, telling: Telling): void {
  const deed = life.deeds[0];
  if (deed && deed.at <= at) {
    life.deeds = life.deeds.slice(1);
    deed.act(life, at);
  } else if (life.closeAt <= at) close(life, at, telling);
  else if (life.breakAt <= at) takeBreak(life, at, telling);
  else if (life.reportAt <= at) report(life, at, telling);
  if (life.state === 'on') plan(life);
}

function report(life: Life, at: number, { emit, speed }: Telling): void {
  const sample = sampleAt(life, at);
  emit({
    at,
    kind: 'report',
    life,
    session: life.session,
    seq: life.seq++,
    samples: [sample],
    again: permille(life.stream, LIFE.repeatPermille),
  });
  life.lastAt = at;
  life.reportAt += intervalMs(life, speed);
  if (life.reportAt <= at) life.reportAt = at + intervalMs(life, speed);
}

function sampleAt(life: Life, at: number) {
  const taken = at - draw(life.stream, LIFE.latencyMs);
  const seconds = Math.min(life.plan.intervalSeconds, Math.max(1, Math.round((taken - life.sampledAt) / 1000)));
  life.sampledAt = taken;
  return takeSample(life, taken, seconds);
}

/** A short break, unless something is staged: labels tell what is staged, and nothing else. */
function takeBreak(life: Life, at: number, telling: Telling): void {
  life.breakAt = nextBreak(life, at);
  if (life.deeds.length > 0 || life.closeAt - at < CALM_MS) return;
  const drop = percent(life.stream, LIFE.resetPercent) ? 'reset' : 'takeover';
  fallSilent(life, at, { drop, backAt: at + draw(life.stream, LIFE.breakSeconds) * 1000, alive: true }, telling);
}

function close(life: Life, at: number, { emit, speed }: Telling): void {
  emit({ at, kind: 'goodbye', life, session: life.session, sn: life.sn });
  rest(life, at, speed);
}

/** Switched off until the next opening. */
function rest(life: Life, at: number, speed: number): void {
  life.state = 'off';
  life.lastAt = at;
  const { from } = openingAt(life.plan.site.hours, Math.max(at, life.closeAt));
  life.nextAt = Math.max(from - draw(life.stream, LIFE.earlyMinutes) * MINUTE_MS, at + MINUTE_MS);
  setClosing(life, from, speed);
}

export interface Silence {
  drop: Drop;
  /** When it connects again. */
  backAt: number;
  /** Whether it goes on sampling meanwhile. */
  alive: boolean;
}

/** Drops the connection. Returns when the broker gives it up; Infinity where it does not. */
export function fallSilent(life: Life, at: number, { drop, backAt, alive }: Silence, { emit, speed }: Telling): number {
  emit({ at, kind: 'drop', life, drop });
  life.state = 'away';
  life.alive = alive;
  life.backAt = backAt;
  life.reconnects++;
  life.willAt = willAt(life, at, drop, speed);
  planAway(life);
  return Math.min(life.willAt, backAt);
}

/** MQTT 3.1.1, 3.1.2.10: a broker waits one and a half keepalives after the last packet; a ping comes each keepalive. */
function willAt(life: Life, at: number, drop: Drop, speed: number): number {
  if (drop === 'blind') return NEVER;
  if (drop === 'reset') return at + draw(life.stream, [1, 50]);
  const half = declared(life, speed).keepalive * 500 * speed;
  return at + draw(life.stream, [half, 3 * half]);
}

/** Connected and without a word: its program hangs, and its connection is kept alive. */
export function hang(life: Life, backAt: number): void {
  life.state = 'hung';
  life.nextAt = backAt;
}

/** A goodbye in the hours. */
export function switchOff(life: Life, at: number, backAt: number, { emit }: Telling): void {
  emit({ at, kind: 'goodbye', life, session: life.session, sn: life.sn });
  life.state = 'away';
  life.alive = false;
  life.lastAt = at;
  life.backAt = backAt;
  life.willAt = NEVER;
  planAway(life);
}

/** What cannot wait for the next report. */
export function sendEvent(life: Life, at: number, type: EventType, data: Record<string, string | number>, { emit }: Telling): void {
  emit({ at, kind: 'event', life, session: life.session, seq: life.seq++, type, data });
  life.lastAt = at;
}

/** The terminal's place is taken by a new one, which connects at `backAt`. */
export function replace(life: Life, at: number, sn: string, backAt: number, telling: Telling): void {
  if (life.state === 'on' || life.state === 'hung' || life.state === 'connecting') switchOff(life, at, backAt, telling);
  life.willAt = NEVER;
  life.kept = [];
  life.session = 0;
  life.sn = sn;
}

function planAway(life: Life): void {
  life.nextAt = Math.min(life.willAt, life.backAt, life.alive ? Math.max(life.reportAt, life.lastAt) : NEVER);
}

function wait(life: Life, at: number, telling: Telling): void {
  const { emit, speed } = telling;
  // Whoever is back first ends the old connection: the broker publishes its Will then.
  if (life.willAt <= at || (life.backAt <= at && life.willAt !== NEVER)) {
    emit({ at, kind: 'will', life, session: life.session });
    life.willAt = NEVER;
  } else if (life.backAt <= at) {
    if (at >= life.closeAt) return rest(life, at, speed);
    return connect(life, at, telling);
  } else {
    keep(life, at, speed);
  }
  planAway(life);
}

function keep(life: Life, at: number, speed: number): void {
  const sample = sampleAt(life, at);
  life.kept = [...life.kept, sample].slice(-MOST_KEPT);
  life.reportAt = at + intervalMs(life, speed);
}
