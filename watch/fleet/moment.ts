/**
 * What the registry changes of one moment did so far. They are one change, so their order must not matter: an unbind counts before a
 * bind of the same terminal, and a swap before the unbind of the old one and after whatever binds it.
 */
import type { Table } from '../fold/table.ts';
import type { Binding } from './terminals.ts';

export interface Swap {
  acquirer: string;
  old_sn: string;
  new_sn: string;
}

export interface Moment {
  at: number;
  /** Terminals that a bind has bound. */
  bound: Record<string, true>;
  /** Terminals that were unbound, and where they had been. */
  unbound: Record<string, Binding>;
  /** Terminals that a swap has taken out of use. */
  swapped: Record<string, true>;
  /** Swaps whose old terminal is bound nowhere yet. */
  waiting: Swap[];
  /** Merchants with a limit that is to come. */
  coming: Record<string, true>;
}

const KEY = 'moment';

/** The moment `at`, to be changed by the caller at once; a new one where time has moved on. Kept among the registry's rows. */
export function momentOf(rows: Table<object>, at: number): Moment {
  const known = rows.change(KEY) as Moment | undefined;
  if (known?.at === at) return known;
  return rows.set(KEY, { at, bound: {}, unbound: {}, swapped: {}, waiting: [], coming: {} } satisfies Moment) as Moment;
}

/** The moment as far as it has begun, to be read. */
export function knownMoment(rows: Table<object>, at: number): Readonly<Moment> | undefined {
  const known = rows.get(KEY) as Moment | undefined;
  return known?.at === at ? known : undefined;
}
