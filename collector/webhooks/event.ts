/** One event of an endpoint, and the bytes that are sent for it. */
import { createHash } from 'node:crypto';
import type { Alert } from '../../protocol/alerts.ts';
import { type Language, remediesFor } from '../../watch/alerts/remedies.ts';
import type { EventType } from './endpoint.ts';

/** `sequence` counts an endpoint's events without gaps, from 1; `id` is its webhook-id on every attempt. */
export interface WebhookEvent {
  id: string;
  endpoint: string;
  sequence: number;
  type: EventType;
  /** When it happened, epoch milliseconds. */
  at: number;
  /** As it was then; null in a ping. */
  alert: Alert | null;
}

const MAX_BODY_BYTES = 20_000;

/** The same wherever and however often the transition is read: it follows from the endpoint, the alert and the alert's own count. */
export function eventId(endpoint: string, { id, seq }: Readonly<Alert>): string {
  const name = JSON.stringify([endpoint, id, seq]);
  return `msg_${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
}

/** The body, under 20 kB: of an alert with more evidence or members than that, the last of them are left out. */
export function bodyOf({ endpoint, sequence, type, at, alert }: Readonly<WebhookEvent>, language: Language): Buffer {
  const bytes = (data: unknown) => Buffer.from(JSON.stringify({ type, timestamp: new Date(at).toISOString(), sequence, data }));
  if (!alert) return bytes({ endpoint });
  const shown = { ...alert, remedy: remediesFor(alert.type, alert.reason, alert.cause, language) };
  let body = bytes(shown);
  while (body.length >= MAX_BODY_BYTES && shown.evidence.length + shown.members.length > 0) {
    shown.evidence = firstHalf(shown.evidence);
    shown.members = firstHalf(shown.members);
    body = bytes(shown);
  }
  return body;
}

function firstHalf<T>(items: readonly T[]): T[] {
  return items.slice(0, Math.floor(items.length / 2));
}
