/**
 * What terminals share: a site, a cell, an operator, an acquirer, a version of the app; and how many of each group are there, and
 * which of them went lately. Counts alone decide, so several partitions could add theirs up.
 */
import type { Subject } from '../../protocol/alerts.ts';
import { pop, push } from '../fold/heap.ts';
import type { Hours, HoursBook } from './hours.ts';
import { Tally } from './tally.ts';
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
  there: Tally<Hours | null>;
  /** Null where nobody is missing, as of nearly all. */
  missing: Missing | null;
  /** Terminals of each acquirer in it. */
  acquirers: Tally<string>;
  /** Everyone in it, where the group is small enough to be named. */
  members: Set<string> | null;
}

interface Missing {
  holding: Set<string>;
  /** Who went, and until when each counts as just lost. */
  gone: Map<string, number>;
  /** The ends of those windows, the first first; those that were taken back stay until then. */
  ends: { until: number; key: string }[];
}

/** A terminal as it is counted: the groups that it is in, and as what. */
interface Membership {
  site: Group | null;
  cell: Group | null;
  operator: Group | null;
  acquirer: Group;
  app: Group | null;
  /** What cell and operator were made of, to see at once that they have not changed. */
  radio: Radio | null;
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

  /** The groups of a terminal that is counted, in the order of GROUP_KINDS. */
  placeOf(key: string): Group[] {
    const known = this.#memberships.get(key);
    return known ? groupsOf(known) : [];
  }

  /** Everyone of a terminal's site, it itself among them. */
  membersOfSite(key: string): Iterable<string> {
    return this.#memberships.get(key)?.site?.members ?? [];
  }

  /** Counts a terminal as it is now, in the groups that it is in now. */
  count(key: string, t: Readonly<Terminal>, hours: Hours | null, standing: Standing): void {
    const known = this.#memberships.get(key);
    if (known && isSamePlace(known, t)) return recount(known, key, hours, standing);
    if (known) this.#leave(known, key);
    const next = this.#membership(t, hours, standing);
    this.#memberships.set(key, next);
    for (const group of groupsOf(next)) {
      group.acquirers.add(t.acquirer, +1);
      group.members?.add(key);
    }
    count(next, key, +1);
  }

  /** Takes a terminal out: it is bound nowhere. */
  forget(key: string): void {
    const known = this.#memberships.get(key);
    if (!known) return;
    this.#memberships.delete(key);
    this.#leave(known, key);
  }

  /** How many of a group are there and expected at `at`. */
  expectedIn(group: Group, at: number): number {
    return group.there.sumOf((hours) => this.#book.isOpen(hours, at));
  }

  /** How many of its site went with a terminal or are held down, of how many others. */
  siteOf(key: string, at: number): { siteLost: number; siteOthers: number } {
    const site = this.#memberships.get(key)?.site;
    if (!site) return { siteLost: 0, siteOthers: 0 };
    const gone = justGone(site, at).size;
    const self = isMissing(site, key) ? 1 : 0;
    return { siteLost: countMissing(site) - self, siteOthers: this.expectedIn(site, at) + gone - self };
  }

  /** The others of its site that have just gone. */
  goneBeside(key: string): string[] {
    const gone = this.#memberships.get(key)?.site?.missing?.gone;
    return gone ? [...gone.keys()].filter((other) => other !== key).sort() : [];
  }

  #leave(known: Membership, key: string): void {
    count(known, key, -1);
    for (const group of groupsOf(known)) {
      group.acquirers.add(known.acquirer.subject.acquirer!, -1);
      group.members?.delete(key);
      if (group.acquirers.isEmpty) this.#groups.delete(group.key);
    }
  }

  #membership(t: Readonly<Terminal>, hours: Hours | null, standing: Standing): Membership {
    const { acquirer, radio } = t;
    const { merchant, site } = placeOf(t);
    const app = t.birth?.app;
    return {
      site: merchant && site ? this.#group('site', `${acquirer}/${merchant}/${site}`, { acquirer, merchant, site }) : null,
      cell: this.#cell(radio),
      operator: radio && this.#group('operator', operatorOf(radio), { operator: operatorOf(radio) }),
      acquirer: this.#group('acquirer', acquirer, { acquirer }),
      app: app === undefined ? null : this.#group('app', app, { app }),
      radio,
      hours,
      standing,
    };
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
    const group = { kind, key, subject, there: new Tally<Hours | null>(), missing: null, acquirers: new Tally<string>(), members };
    this.#groups.set(key, group);
    return group;
  }
}

const NOBODY: ReadonlyMap<string, number> = new Map();

/** Those who went and still count as just lost at `at`, and until when each does. To be read. */
export function justGone(group: Group, at: number): ReadonlyMap<string, number> {
  const { missing } = group;
  if (!missing) return NOBODY;
  const { gone, ends } = missing;
  for (let first = ends[0]; first && first.until <= at; first = ends[0]) {
    if (gone.get(first.key) === first.until) gone.delete(first.key);
    pop(ends, endsBefore);
  }
  return gone;
}

/** Those who are held down, and those who went and were not found to be long gone yet. */
export function* missingFrom({ missing }: Group): Generator<string> {
  if (!missing) return;
  yield* missing.gone.keys();
  yield* missing.holding;
}

export function isMissing({ missing }: Group, key: string): boolean {
  return missing !== null && (missing.gone.has(key) || missing.holding.has(key));
}

export function countMissing({ missing }: Group): number {
  return missing ? missing.gone.size + missing.holding.size : 0;
}

function groupsOf({ site, cell, operator, acquirer, app }: Membership): Group[] {
  return [site, cell, operator, acquirer, app].filter((group) => group !== null);
}

function recount(known: Membership, key: string, hours: Hours | null, standing: Standing): void {
  if (known.hours === hours && sameStanding(known.standing, standing)) return;
  count(known, key, -1);
  known.hours = hours;
  known.standing = standing;
  count(known, key, +1);
}

/** Adds it to what is counted of its groups, or takes it from there. */
function count(membership: Membership, key: string, by: 1 | -1): void {
  const { hours, standing } = membership;
  const isThere = standing.is === 'there' || standing.is === 'holding';
  for (const group of groupsOf(membership)) {
    if (isThere) group.there.add(hours, by);
    if (by === 1) miss(group, key, standing);
    else missNoMore(group, key);
  }
}

function miss(group: Group, key: string, standing: Standing): void {
  if (standing.is !== 'holding' && standing.is !== 'gone') return;
  group.missing ??= { holding: new Set(), gone: new Map(), ends: [] };
  const { holding, gone, ends } = group.missing;
  if (standing.is === 'gone') {
    gone.set(key, standing.until);
    push(ends, { until: standing.until, key }, endsBefore);
  } else holding.add(key);
}

function missNoMore(group: Group, key: string): void {
  if (!group.missing) return;
  const { holding, gone } = group.missing;
  holding.delete(key);
  gone.delete(key);
  if (countMissing(group) === 0) group.missing = null;
}

function endsBefore(a: { until: number; key: string }, b: { until: number; key: string }): boolean {
  return a.until < b.until;
}

function sameStanding(a: Standing, b: Standing): boolean {
  return a.is === b.is && (a.is !== 'gone' || a.until === (b as { until: number }).until);
}

function isSamePlace({ site, app, radio }: Membership, t: Readonly<Terminal>): boolean {
  const now = placeOf(t);
  const isSameSite = site ? site.subject.site === now.site && site.subject.merchant === now.merchant : !now.merchant || !now.site;
  return isSameSite && app?.subject.app === t.birth?.app && radio === t.radio;
}

function operatorOf({ mcc, mnc }: Radio): string {
  return `${mcc}-${mnc}`;
}
