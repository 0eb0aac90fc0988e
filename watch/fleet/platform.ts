/**
 * How our own parts are: which are down, and what happened to them since all were well. What this means for terminals is blindness.ts's
 * to say; here it is what operators are told.
 */
import type { Evidence } from '../../protocol/alerts.ts';
import type { PlatformState } from '../../protocol/entries.ts';

export type Part = PlatformState['part'];

/** Parts without which terminals cannot be heard. A late collector and a dead store delay, and blind nobody. */
const BLINDING: readonly Part[] = ['broker', 'log', 'clock'];
const EVENTS_KEPT = 20;

interface Trouble {
  part: Part;
  node: string | null;
  since: number;
  /** When it is over by itself; null where an entry says so. */
  until: number | null;
}

export interface PlatformRow {
  /** By part and node. */
  troubles: Record<string, Trouble>;
  /** What happened since all was well, the first of it and the newest. */
  events: Evidence[];
  /** Since when there is something that cannot be seen; null where all can. */
  unknownFrom: number | null;
}

export function newPlatform(): PlatformRow {
  return { troubles: {}, events: [], unknownFrom: null };
}

/** Takes a part's state in. A clock that stepped is trouble until `clockUntil`. */
export function notePart(row: PlatformRow, platform: PlatformState, at: number, clockUntil: number): void {
  const { part, node = null } = platform;
  const key = keyOf(part, node);
  const known = row.troubles[key];
  if (platform.state === 'step') {
    begin(row, key, { part, node, since: known?.since ?? at, until: clockUntil }, { what: 'clock_step_ms', value: platform.ms, at });
  } else if (platform.state === 'up') {
    if (known) end(row, key, at);
  } else if (!known) {
    begin(row, key, { part, node, since: at, until: null }, { what: `${part}_down`, value: node, at });
  }
}

/** Ends what is over by itself at `at`. */
export function endOverdue(row: PlatformRow, at: number): void {
  for (const [key, { until }] of Object.entries(row.troubles)) if (until !== null && until <= at) end(row, key, at);
}

/** When something is next over by itself. */
export function overAt({ troubles }: Readonly<PlatformRow>): number {
  return Math.min(...Object.values(troubles).map(({ until }) => until ?? Number.POSITIVE_INFINITY));
}

/** What is not as it should be: what blinds first, then in the order in which it came. */
export function troublesOf({ troubles }: Readonly<PlatformRow>): Trouble[] {
  const rank = ({ part }: Trouble) => (BLINDING.includes(part) ? 0 : 1);
  return Object.values(troubles).sort(
    (a, b) => rank(a) - rank(b) || a.since - b.since || (keyOf(a.part, a.node) < keyOf(b.part, b.node) ? -1 : 1),
  );
}

/** Whether a part was said to be down, of every node's. */
export function isDown({ troubles }: Readonly<PlatformRow>, part: Part): boolean {
  return keyOf(part) in troubles;
}

function begin(row: PlatformRow, key: string, trouble: Trouble, event: Evidence): void {
  row.troubles[key] = trouble;
  note(row, event);
  if (BLINDING.includes(trouble.part) && row.unknownFrom === null) {
    row.unknownFrom = trouble.since;
    note(row, { what: 'unknown_from', value: trouble.since, at: trouble.since });
  }
}

function end(row: PlatformRow, key: string, at: number): void {
  const { part, node } = row.troubles[key]!;
  delete row.troubles[key];
  if (part !== 'clock') note(row, { what: `${part}_up`, value: node, at });
  if (row.unknownFrom === null || troublesOf(row).some((other) => BLINDING.includes(other.part))) return;
  row.unknownFrom = null;
  note(row, { what: 'unknown_until', value: at, at });
}

function note({ events }: PlatformRow, event: Evidence): void {
  events.push(event);
  if (events.length > EVENTS_KEPT) events.splice(1, 1);
}

function keyOf(part: Part, node: string | null = null): string {
  return node === null ? part : `${part} ${node}`;
}
