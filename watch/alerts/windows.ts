/** Which silences and maintenance an alert falls under: found by what they name, so that it costs the same however many there are. */
import type { AlertType, Subject } from '../../protocol/alerts.ts';
import type { Match, OperatorWindow } from '../../protocol/operator.ts';
import type { Span } from '../fleet/spans.ts';

/** What an alert, or a thing that might have one, is. */
export type Matched = { type: AlertType; subject: Readonly<Subject> };

/** In maintenance these are not created (alerts.md, Lifecycle: presence, coverage, place, outage). */
const PLANNED: readonly AlertType[] = ['terminal.offline', 'terminal.unstable', 'coverage.weakening', 'place.moved', 'outage'];

/** A window stands under the first of these that it names: what few things have comes first. */
const BY_RARITY: readonly (keyof Match)[] = [
  'terminal',
  'site',
  'cell',
  'merchant',
  'class',
  'app',
  'card',
  'kind',
  'operator',
  'acquirer',
  'type',
];
const EVERYTHING = '';

export class WindowIndex {
  readonly #shelves = new Map<string, Map<string, OperatorWindow>>();

  get isEmpty(): boolean {
    return this.#shelves.size === 0;
  }

  add(window: OperatorWindow): void {
    const shelf = shelfOf(window.match);
    const windows = this.#shelves.get(shelf) ?? new Map<string, OperatorWindow>();
    this.#shelves.set(shelf, windows.set(window.id, window));
  }

  remove({ id, match }: OperatorWindow): void {
    const shelf = shelfOf(match);
    const windows = this.#shelves.get(shelf);
    windows?.delete(id);
    if (windows?.size === 0) this.#shelves.delete(shelf);
  }

  /** The silence that holds an alert's notices at `at`: of several, the one that began first. */
  silenceOf(matched: Matched, at: number): string | null {
    const [first] = this.#over(matched, 'silence', at, 0).sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1));
    return first?.id ?? null;
  }

  /**
   * Until when maintenance keeps an alert from being created at `at`, and for `afterMs` more, in which what it is about may come back;
   * Infinity where that is open, null where none does.
   */
  plannedUntil(matched: Matched, at: number, afterMs: number): number | null {
    if (!PLANNED.includes(matched.type)) return null;
    const windows = this.#over(matched, 'maintenance', at, afterMs);
    return windows.length > 0 ? Math.max(...windows.map(({ until }) => (until ?? Number.POSITIVE_INFINITY) + afterMs)) : null;
  }

  /** When downtime of what is matched was planned, between two moments. */
  plannedBetween(matched: Matched, from: number, to: number): Span[] {
    return this.#over(matched, 'maintenance', to, to - from).map((window): Span => [window.from, window.until ?? to]);
  }

  #over({ type, subject }: Matched, op: OperatorWindow['op'], at: number, afterMs: number): OperatorWindow[] {
    if (this.isEmpty) return [];
    const is: Record<string, string | null> = { ...subject, type };
    const shelves = [EVERYTHING, ...BY_RARITY.flatMap((member) => (is[member] == null ? [] : [`${member} ${is[member]}`]))];
    return shelves
      .flatMap((shelf) => [...(this.#shelves.get(shelf)?.values() ?? [])])
      .filter(
        (window) =>
          window.op === op &&
          window.from <= at &&
          at < (window.until ?? Number.POSITIVE_INFINITY) + afterMs &&
          Object.entries(window.match).every(([member, value]) => is[member] === value),
      );
  }
}

function shelfOf(match: Match): string {
  const member = BY_RARITY.find((name) => match[name] !== undefined);
  return member === undefined ? EVERYTHING : `${member} ${match[member]}`;
}
