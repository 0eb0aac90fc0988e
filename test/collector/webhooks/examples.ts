/** Endpoints, alerts and what waits, for the tests of the webhooks: like any other but for what a test says of them. */
import type { Endpoint } from '../../../collector/webhooks/endpoint.ts';
import type { Waiting } from '../../../collector/webhooks/line.ts';
import type { Alert, Subject, Transition } from '../../../protocol/alerts.ts';
import { subjectOf } from '../../../watch/alerts/lifecycle.ts';

export const T = 1_763_798_400_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

export function anEndpoint(changes: Partial<Endpoint> = {}): Endpoint {
  return {
    id: 'we_01',
    url: 'https://bank.example/hook',
    acquirer: 'acme',
    description: '',
    language: 'en',
    types: null,
    severity: 'info',
    merchants: null,
    secrets: [{ text: SECRET, until: null }],
    disabled: null,
    sequence: 0,
    deliveries: 0,
    createdAt: T,
    succeededAt: null,
    failingSince: null,
    failedAt: null,
    lastError: null,
    pausedUntil: null,
    ...changes,
  };
}

export function anAlert({ subject, ...changes }: Partial<Omit<Alert, 'subject'>> & { subject?: Partial<Subject> } = {}): Alert {
  return {
    id: 'a-1',
    type: 'quota.terminals',
    severity: 'warning',
    state: 'firing',
    acknowledgedBy: null,
    assignee: null,
    silencedBy: null,
    subject: subjectOf({ acquirer: 'acme', merchant: 'm-1', ...subject }),
    reason: 'approaching',
    cause: 'unknown',
    confidence: 1,
    evidence: [{ what: 'bound', value: 4, limit: 5, at: T }],
    remedy: [],
    predicted: null,
    count: 1,
    members: [],
    startsAt: T,
    updatedAt: T,
    endsAt: null,
    seq: 1,
    ...changes,
  };
}

export function aTransition(transition: Transition['transition'], changes: Parameters<typeof anAlert>[0] = {}, at = T): Transition {
  return { at, transition, alert: anAlert({ state: transition === 'resolved' ? 'resolved' : 'firing', ...changes }) };
}

export function aWaiting(changes: Partial<Waiting> = {}): Waiting {
  const place = { id: 'msg_01', sequence: 1, type: 'alert.fired', subject: 'a-1' } as const;
  return { ...place, attempts: 0, tried: false, firstAt: null, lastAt: null, nextAt: T, ...changes };
}
