/**
 * What terminals share: a site, a cell, an operator, an acquirer, a version of the app; and how many of each group are there, and
 * which of them went lately. Counts alone decide, so several partitions could add theirs up.
 */
import type { Subject } from '../../protocol/alerts.ts';
import { pop, push } from '../fold/heap.ts';
import type { Hours, HoursBook } from './hours.ts';
import { placeOf, type Radio, type Terminal } from './terminals.ts';

/** From the smallest to the largest; an app is no place, and comes last. */
export const GROUP_KINDS = ['site', 'cell', 'operator', 'acquirer', 'app'] as const;
export type GroupKind = (typeof GROUP_KINDS)[number];

/**
 * there: counts among those that could be lost. holding: it is there until its Will's hold-down has passed. gone: lost within the
 * window that ends at `until`, epoch milliseconds. away: neither, such as closed for the day, or long gone.
 */
export type Standing = { is: 'there' | 'holding' | 'away' } | { is: 'gone'; until: number };

export interface Group {
  kind: GroupKind;
  key: string;
  subject: Partial<Subject>;
  /** Who is there, by the hours that they keep. */
  there: Map<Hours | null, number>;
  holding: Set<string>;
  /** Who went, and until when each counts as just lost. */
  gone: Map<string, number>;
  /** The ends of those windows, the first first; those that were taken back stay until then. */
  ends: { until: number; key: string }[];
  /** Terminals of each acquirer in it. */
  acquirers: Map<string, number>;
  /** Everyone in it, where the group is small enough to be named. */
  members: Set<string> | null;
}

/** Who a terminal is with, in the order of GROUP_KINDS. */
export type Place = (Group | null)[];

interface Membership {
  /** What the groups were made of, to see at once that nothing changed. */
  merchant: string | null;
  site: string | null;
  app: string | undefined;
  radio: Radio | null;
  acquirer: string;
  groups: Place;
  hours: Hours | null;
  standing: Standing;
}

export class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #memberships = new Map<string, Membership>();
  readonly #book: HoursBook;

  constructor(book: HoursBook) {
    this.#book = book;
  }

  get(key: string): Group | undefined {
    return this.#groups.get(key);
  }

  /** The groups of a terminal that is counted. */
  placeOf(key: string): Place {
    return this.#memberships.get(key)?.groups ?? [];
  }

  /** Counts a terminal as it is now, in the groups that it is in now. */
  count(key: string, t: Readonly<Terminal>, hours: Hours | null, standing: Standing): void {
    const known = this.#memberships.get(key);
    if (known && known.hours === hours && sameStanding(known.standing, standing) && isSamePlace(known, t)) return;
    const next = known && isSamePlace(known, t) ? { ...known, hours, standing } : this.#membership(t, hours, standing);
    if (known) for (const group of known.groups) if (group) leave(group, key, known);
    for (const group of next.groups) if (group) enter(group, key, next);
    this.#memberships.set(key, next);
    if (known && known.groups !== next.groups) this.#dropEmpty(known.groups);
  }

  /** Takes a terminal out: it is bound nowhere. */
  forget(key: string): void {
    const known = this.#memberships.get(key);
    if (!known) return;
    for (const group of known.groups) if (group) leave(group, key, known);
    this.#memberships.delete(key);
    this.#dropEmpty(known.groups);
  }

  /** How many of a group are there and expected at `at`. */
  expectedIn(group: Group, at: number): number {
    let sum = 0;
    for (const [hours, n] of group.there) if (this.#book.isOpen(hours, at)) sum += n;
    return sum;
  }

  /** How many of its site went with a terminal or are held down, of how many others. */
  siteOf(key: string, at: number): { siteLost: number; siteOthers: number } {
    const site = this.placeOf(key)[0];
    if (!site) return { siteLost: 0, siteOthers: 0 };
    const gone = justGone(site, at);
    const self = gone.has(key) || site.holding.has(key) ? 1 : 0;
    return { siteLost: gone.size + site.holding.size - self, siteOthers: this.expectedIn(site, at) + gone.size - self };
  }

  /** The others of its site that have just gone. */
  goneBeside(key: string): string[] {
    const site = this.placeOf(key)[0];
    return site ? [...site.gone.keys()].filter((other) => other !== key).sort() : [];
  }

  #membership(t: Readonly<Terminal>, hours: Hours | null, standing: Standing): Membership {
    const { acquirer } = t;
    const { merchant, site } = placeOf(t);
    const { radio } = t;
    const app = t.birth?.app;
    const groups: Place = [
      merchant && site ? this.#group('site', `${acquirer}/${merchant}/${site}`, { acquirer, merchant, site }) : null,
      this.#cell(radio),
      radio && this.#group('operator', operatorOf(radio), { operator: operatorOf(radio) }),
      this.#group('acquirer', acquirer, { acquirer }),
      app === undefined ? null : this.#group('app', app, { app }),
    ];
    return { merchant, site, app, radio, acquirer, groups, hours, standing };
  }

  #cell(radio: Radio | null): Group | null {
    if (radio?.lac === undefined || radio.cell === undefined) return null;
    const operator = operatorOf(radio);
    const cell = `${operator}-${radio.lac}-${radio.cell}`;
    return this.#group('cell', cell, { operator, cell });
  }

  #group(kind: GroupKind, id: string, subject: Partial<Subject>): Group {
    const key = `${kind} ${id}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const members = kind === 'site' || kind === 'cell' ? new Set<string>() : null;
    const group = {
      kind,
      key,
      subject,
      there: new Map(),
      holding: new Set<string>(),
      gone: new Map(),
      ends: [],
      acquirers: new Map(),
      members,
    };
    this.#groups.set(key, group);
    return group;
  }

  #dropEmpty(groups: Place): void {
    for (const group of groups) if (group?.acquirers.size === 0) this.#groups.delete(group.key);
  }
}

/** Those who went and still count as just lost at `at`. */
export function justGone(group: Group, at: number): Map<string, number> {
  for (let first = group.ends[0]; first && first.until <= at; first = group.ends[0]) {
    if (group.gone.get(first.key) === first.until) group.gone.delete(first.key);
    pop(group.ends, endsBefore);
  }
  return group.gone;
}

function leave(group: Group, key: string, { hours, standing, acquirer }: Membership): void {
  if (standing.is === 'there' || standing.is === 'holding') add(group.there, hours, -1);
  group.holding.delete(key);
  group.gone.delete(key);
  group.members?.delete(key);
  add(group.acquirers, acquirer, -1);
}

function enter(group: Group, key: string, { hours, standing, acquirer }: Membership): void {
  if (standing.is === 'there' || standing.is === 'holding') add(group.there, hours, +1);
  if (standing.is === 'holding') group.holding.add(key);
  if (standing.is === 'gone') {
    group.gone.set(key, standing.until);
    push(group.ends, { until: standing.until, key }, endsBefore);
  }
  group.members?.add(key);
  add(group.acquirers, acquirer, +1);
}

function endsBefore(a: { until: number; key: string }, b: { until: number; key: string }): boolean {
  return a.until < b.until;
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const n = (counts.get(key) ?? 0) + by;
  if (n === 0) counts.delete(key);
  else counts.set(key, n);
}

function sameStanding(a: Standing, b: Standing): boolean {
  return a.is === b.is && (a.is !== 'gone' || a.until === (b as { until: number }).until);
}

function isSamePlace({ merchant, site, app, radio }: Membership, t: Readonly<Terminal>): boolean {
  const now = placeOf(t);
  return merchant === now.merchant && site === now.site && app === t.birth?.app && radio === t.radio;
}

function operatorOf({ mcc, mnc }: Radio): string {
  return `${mcc}-${mnc}`;
}
