/** What incidents have in common: when there is room for one, whom it touches, and what is true of it. */
import type { Incident } from '../actions.ts';
import { openingAt } from '../hours.ts';
import { declared, type Telling } from '../life/life.ts';
import { draw, type Stream } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import type { Life } from '../state.ts';
import { later, type MerchantState } from '../state.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** Openings that are looked at for room. */
const OPENINGS = 3;

/** Of the alert catalogue: how long a Will is held down, and within what time of its due a transition is looked for. */
const HOLD_MS = 90_000;
const EARLY_MS = 1_000;
const LATE_MS = 20_000;

/** Where an incident is staged: one merchant, one day of the story. */
export interface Scene {
  /** Of its incidents. */
  id: string;
  merchant: MerchantState;
  stream: Stream;
  from: number;
  until: number;
  telling: Telling;
}

/** Stages one incident; false where there is no room for it, and then nothing was done. */
export type Script = (scene: Scene) => boolean;

/** Minutes of a range of ranges.ts, in milliseconds. */
export function minutes({ stream }: Pick<Scene, 'stream'>, range: readonly [number, number]): number {
  return draw(stream, [range[0] * MINUTE_MS, range[1] * MINUTE_MS]);
}

/** A moment within the day after which the terminal's place stays open for `needMs`; undefined where there is none. */
export function roomFor({ stream, from, until, telling }: Scene, life: Life, needMs: number): number | undefined {
  let at = from;
  for (let i = 0; i < OPENINGS && at < until; i++) {
    const { from: opens, to } = telling.speed === 1 ? openingAt(life.plan.site.hours, at) : { from: at, to: Number.POSITIVE_INFINITY };
    const first = Math.max(opens, from) + INCIDENT.afterOpening * MINUTE_MS;
    const last = Math.min(to - INCIDENT.beforeClosing * MINUTE_MS - needMs, until);
    if (last >= first) return first + draw(stream, [0, Math.floor((last - first) / 1000)]) * 1000;
    at = to;
  }
  return undefined;
}

/** The merchant's terminals of which `fits` is true, and to which nothing else happens. */
export function free({ merchant }: Scene, fits: (life: Life) => boolean = () => true): Life[] {
  return merchant.lives.filter((life) => life.deeds.length === 0 && fits(life));
}

/** Of the story: how long a terminal may be silent before it is offline, and how long after its Will. */
export function waits(life: Life, speed: number): { silentMs: number; holdMs: number; intervalMs: number } {
  const { interval, keepalive } = declared(life, speed);
  const second = 1000 * speed;
  return { silentMs: Math.max(2 * interval, 3 * keepalive) * second, holdMs: HOLD_MS * speed, intervalMs: interval * second };
}

/** The window in which an alert is looked for that is due between the two times. */
export function due({ telling: { speed } }: Pick<Scene, 'telling'>, earliest: number, latest = earliest): [number, number] {
  return [earliest - EARLY_MS * speed, latest + LATE_MS * speed];
}

type Facts = Pick<Incident, 'type' | 'reason' | 'cause' | 'subject' | 'what'> &
  Partial<Pick<Incident, 'firedBetween' | 'also' | 'members'>>;

/** Says what an incident is, from its beginning to its end. Its end and its window may be put right until it has come. */
export function label(scene: Scene, startsAt: number, endsAt: number, facts: Facts): Incident {
  const { merchant, telling } = scene;
  const incident: Incident = { id: scene.id, startsAt, endsAt, members: [], firedBetween: null, also: [], ...facts };
  later(merchant, { at: startsAt, run: (at) => telling.emit({ at, kind: 'began', incident }) });
  const end = (at: number) => {
    // What began it may have come later than was staged: a terminal acts only while it is connected.
    if (incident.endsAt! > at) return later(merchant, { at: incident.endsAt!, run: end });
    telling.emit({ at, kind: 'ended', incident });
  };
  later(merchant, { at: endsAt, run: end });
  merchant.busyUntil = Math.max(merchant.busyUntil, endsAt + HOUR_MS);
  return incident;
}

export function subjectOf(life: Life): Record<string, string> {
  return { acquirer: life.merchant.plan.acquirer, merchant: life.merchant.plan.id, terminal: life.sn };
}

export function merchantOf({ plan }: MerchantState): Record<string, string> {
  return { acquirer: plan.acquirer, merchant: plan.id };
}
