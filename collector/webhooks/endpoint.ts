import { type Alert, type AlertType, SEVERITIES, type Severity, type Transition } from '../../protocol/alerts.ts';
import type { Language } from '../../watch/alerts/remedies.ts';

/** A secret that signs deliveries; `until`: when an older one stops to, null for the present one. */
export interface Secret {
  text: string;
  until: number | null;
}

/** Which alerts an endpoint wants; null: all. */
export interface Filter {
  types: AlertType[] | null;
  /** The least. */
  severity: Severity;
  merchants: string[] | null;
}

/** Where alerts are sent. All times are epoch milliseconds. */
export interface Endpoint extends Filter {
  id: string;
  url: string;
  /** Whose alerts it gets; null: everybody's. */
  acquirer: string | null;
  description: string;
  /** Of the remedies. */
  language: Language;
  /** The newest first. */
  secrets: Secret[];
  /** Why it is not delivered to; null where it is. */
  disabled: 'operator' | 'gone' | 'failing' | null;
  /** The number of its last event. */
  sequence: number;
  /** Rows of its log of deliveries. */
  deliveries: number;
  createdAt: number;
  succeededAt: number | null;
  /** Since when every attempt has failed, when the last one did, and what it met. */
  failingSince: number | null;
  failedAt: number | null;
  lastError: string | null;
  /** The receiver asked to be left alone until then. */
  pausedUntil: number | null;
}

export type EventType = 'alert.fired' | 'alert.updated' | 'alert.resolved' | 'ping';

/**
 * What a transition is to an endpoint; null where it is not told. Whoever was told of an alert is told how it goes on and how it ends,
 * whatever its filters say by then; but a silence holds all save the end, which is told to whoever was told of the beginning. `told`:
 * whether it was.
 */
export function eventTypeFor(endpoint: Readonly<Endpoint>, { transition, alert }: Readonly<Transition>, told: boolean): EventType | null {
  if (transition === 'resolved') return told ? 'alert.resolved' : null;
  if (alert.silencedBy !== null) return null;
  if (told) return 'alert.updated';
  return passes(endpoint, alert) ? 'alert.fired' : null;
}

function passes({ acquirer, types, severity, merchants }: Readonly<Endpoint>, alert: Readonly<Alert>): boolean {
  return (
    (acquirer === null || alert.subject.acquirer === acquirer) &&
    (types === null || types.includes(alert.type)) &&
    (merchants === null || (alert.subject.merchant !== null && merchants.includes(alert.subject.merchant))) &&
    SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf(severity)
  );
}

/** The secrets that sign at `at`. */
export function secretsAt({ secrets }: Readonly<Endpoint>, at: number): string[] {
  return secrets.filter(({ until }) => until === null || until > at).map(({ text }) => text);
}

/** How an endpoint is named in lines for people: an address may hold a secret in its path or query. */
export function nameOf({ id, url }: Readonly<Endpoint>): string {
  return `webhook ${id} (${new URL(url).origin})`;
}
