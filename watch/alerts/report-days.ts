/** What the product counts of its own guesses and warnings, by acquirer and day. */
import type { Table } from '../fold/table.ts';

const DAY_MS = 86_400_000;
/** As long as alerts that have ended. */
const KEPT_DAYS = 400;

/** Of one kind of event that can be foreseen: how often it happened, and what became of its warnings. */
export interface Foreseen {
  events: number;
  /** Of the events that there was a warning of: how many, by how early it came, in the seconds of LEAD_STEPS_SECONDS. */
  leads: Record<string, number>;
  cameTrue: number;
  cameToNothing: number;
}

export interface ReportDay {
  acquirer: string;
  /** The day's start, epoch milliseconds, UTC. */
  day: number;
  /** Announced silences that ended, by the cause that was said and the one that was told after, with a space between. */
  causes: Record<string, number>;
  /** By the type of the warning and that of the event, with a space between. */
  foreseen: Record<string, Foreseen>;
}

/** The day's row, to be changed by the caller at once. Whatever is too old goes when a new one comes. */
export function reportDay(days: Table<ReportDay>, acquirer: string, at: number): ReportDay {
  const day = Math.floor(at / DAY_MS) * DAY_MS;
  const key = `${acquirer} ${day}`;
  const known = days.change(key);
  if (known) return known;
  for (const old of [...days.values()]) {
    if (old.day < day - KEPT_DAYS * DAY_MS) days.delete(`${old.acquirer} ${old.day}`);
  }
  return days.set(key, { acquirer, day, causes: {}, foreseen: {} });
}
