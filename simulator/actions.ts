/** What happens in the story, in order of its time. Whoever plays it makes lines or packets of it. */
import type { AlertType } from '../protocol/alerts.ts';
import type { PlatformState } from '../protocol/entries.ts';
import type { EVENTS } from '../protocol/schemas/messages.ts';
import type { Sample } from '../protocol/schemas/sample.ts';
import type { Life } from './state.ts';

export type EventType = (typeof EVENTS)[number];

/**
 * How a connection comes to nothing. `reset`: the broker sees it at once. `expiry`: it goes without a word, and the broker's patience
 * ends. `takeover`: likewise, and the terminal is back before. `blind`: the broker itself is away, and knows of no Will.
 */
export type Drop = 'reset' | 'expiry' | 'takeover' | 'blind';

/** A row of the registry, by the columns of its table. */
export type Row = { table: 'merchants' | 'terminals'; row: Record<string, string | number> };

export type Action = { at: number } & (
  | { kind: 'registry'; row: Row }
  | { kind: 'platform'; platform: PlatformState }
  /** The terminal connects and says who it is; `session` counts its connections. */
  | { kind: 'connect'; life: Life; session: number }
  | { kind: 'online'; life: Life; session: number }
  /** `again`: it comes twice, as after a PUBACK that got lost. */
  | { kind: 'report'; life: Life; session: number; seq: number; samples: Sample[]; again: boolean }
  | { kind: 'event'; life: Life; session: number; seq: number; type: EventType; data: Record<string, string | number> }
  /** `sn`: whose it is; a swap gives the life another serial in the same moment. */
  | { kind: 'goodbye'; life: Life; session: number; sn: string }
  | { kind: 'drop'; life: Life; drop: Drop }
  /** The broker gives the connection up and publishes its Will. */
  | { kind: 'will'; life: Life; session: number }
  | { kind: 'began' | 'ended'; incident: Incident }
);

/** What is true of an incident: a line of the truth file. All times are epoch milliseconds. */
export interface Incident {
  id: string;
  type: AlertType;
  /** Any of these is right, as in the `must` lines of expectations. */
  reason: string[];
  cause: string[];
  /** Members of the alert's subject. */
  subject: Record<string, string>;
  startsAt: number;
  /** When it was over; null where the story ended first. */
  endsAt: number | null;
  /** Serial numbers. */
  members: string[];
  /** What was done, in words. */
  what: string;
  /** Within this an alert of this type and subject must be fired or rise, by the default numbers; null where it never came to that. */
  firedBetween: [number, number] | null;
  /** Types that the same incident may bring as well, for its subject and members. */
  also: AlertType[];
}
