/**
 * When we could not see. Kept by broker node: a dead broker blinds the terminals last heard through it; an entry that names no node
 * blinds all.
 */
import type { PlatformState } from '../../protocol/entries.ts';
import type { PlatformRules } from '../rules/defaults.ts';
import type { Span } from './spans.ts';

/** The node name that stands for every node. */
const ALL = '*';
/** Time is counted each hour, so older windows are needed by nobody but those that were silent since. */
const WINDOWS_KEPT = 32;

export interface BlindnessRow {
  /** Parts that are down now, as `part node`, and since when. */
  down: Record<string, number>;
  /** When the last blindness of a node ended. */
  endedAt: Record<string, number>;
  /** The last windows in which nodes could not see, in order of their ends. */
  windows: { node: string; from: number; to: number }[];
}

export function newBlindness(): BlindnessRow {
  return { down: {}, endedAt: {}, windows: [] };
}

/** Takes a platform entry in. A late collector and a dead store delay, and blind nobody. True where somebody can see again by it. */
export function notePlatform(row: BlindnessRow, platform: PlatformState, at: number, rules: PlatformRules): boolean {
  const { part, state, node = ALL } = platform;
  if (part === 'store' || part === 'collector') return false;
  if (state === 'step' && !isStep(platform, rules)) return false;
  const key = `${part} ${node}`;
  if (state === 'down') {
    row.down[key] ??= at;
    return false;
  }
  const from = row.down[key];
  if (from !== undefined) row.windows = [...row.windows, { node, from, to: at }].slice(-WINDOWS_KEPT);
  delete row.down[key];
  row.endedAt[node] = at;
  return true;
}

/** Clocks are always a little off: what is put right by less is no step. */
export function isStep({ ms }: { ms: number }, { clockStepSeconds }: PlatformRules): boolean {
  return Math.abs(ms) > clockStepSeconds * 1000;
}

export function isBlind({ down }: Readonly<BlindnessRow>, node: string | null): boolean {
  return Object.keys(down).some((key) => concerns(key.slice(key.indexOf(' ') + 1), node));
}

/** When the last blindness that concerned this node ended; null where there was none. */
export function blindUntil({ endedAt }: Readonly<BlindnessRow>, node: string | null): number | null {
  const ends = Object.entries(endedAt).flatMap(([of, at]) => (concerns(of, node) ? [at] : []));
  return ends.length > 0 ? Math.max(...ends) : null;
}

/** The times in which this node could not see, up to `at`. */
export function unseen({ down, windows }: Readonly<BlindnessRow>, node: string | null, at: number): Span[] {
  const ended = windows.filter((window) => concerns(window.node, node)).map(({ from, to }): Span => [from, to]);
  const open = Object.entries(down).filter(([key]) => concerns(key.slice(key.indexOf(' ') + 1), node));
  return [...ended, ...open.map(([, from]): Span => [from, at])];
}

function concerns(of: string, node: string | null): boolean {
  return of === ALL || node === null || of === node;
}
