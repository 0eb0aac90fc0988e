/** What an attempt's answer means: for the event, and for its endpoint. */
import type { Endpoint } from './endpoint.ts';
import type { Waiting } from './line.ts';
import type { Answer } from './post.ts';
import { DISABLED_AFTER_MS, FAILURES_APART_MS, nextAttemptAt, slowDownUntil } from './schedule.ts';

/** `disabled`: the event waits until the endpoint is enabled again. */
export type Result = 'delivered' | 'retry' | 'given_up' | 'disabled';

export interface Judgement {
  result: Result;
  /** Why it is no success, in words. */
  error: string | null;
  /** When it is tried again, where it is. */
  nextAt: number | null;
  /** What is known of the endpoint now. */
  endpoint: Partial<Endpoint>;
}

const GONE = 410;

export function judge(
  endpoint: Readonly<Endpoint>,
  { firstAt, lastAt }: Readonly<Waiting>,
  answer: Answer,
  now: number,
  random: () => number,
): Judgement {
  const error = failureOf(answer);
  const pausedUntil = pauseUntil(endpoint, answer, now);
  if (error === null) {
    const known = { succeededAt: now, failingSince: null, failedAt: null, lastError: null, pausedUntil };
    return { result: 'delivered', error, nextAt: null, endpoint: known };
  }
  const failingSince = failingSinceOf(endpoint, now);
  const disabled = endpoint.disabled ?? disabledBy(answer, failingSince, now);
  const known = { failingSince, failedAt: now, lastError: error, pausedUntil, disabled };
  if (disabled !== null) return { result: 'disabled', error, nextAt: null, endpoint: known };
  const nextAt = nextAttemptAt(firstAt!, lastAt!, random);
  if (nextAt === null) return { result: 'given_up', error, nextAt, endpoint: known };
  return { result: 'retry', error, nextAt: Math.max(nextAt, pausedUntil ?? 0), endpoint: known };
}

/** Failures with days of silence between them are not days of failures. */
function failingSinceOf({ failingSince, failedAt }: Readonly<Endpoint>, now: number): number {
  const goesOn = failingSince !== null && failedAt !== null && now - failedAt <= FAILURES_APART_MS;
  return goesOn ? failingSince : now;
}

/** Why an answer is not a success, in words; null where it is: 2xx alone. */
export function failureOf(answer: Answer): string | null {
  if (answer.kind === 'unanswered') return answer.why;
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  return status >= 300 && status < 400 ? `it answered ${status}, and redirects are not followed` : `it answered ${status}`;
}

/** Of several attempts under way, the one that was asked for the longest pause decides; a success beside it ends no pause. */
function pauseUntil({ pausedUntil }: Readonly<Endpoint>, answer: Answer, now: number): number | null {
  const asked = answer.kind === 'answered' && failureOf(answer) !== null ? slowDownUntil(answer.status, answer.retryAfter, now) : null;
  const latest = Math.max(asked ?? 0, pausedUntil ?? 0);
  return latest > now ? latest : null;
}

function disabledBy(answer: Answer, failingSince: number, now: number): Endpoint['disabled'] {
  if (answer.kind === 'answered' && answer.status === GONE) return 'gone';
  return now - failingSince >= DISABLED_AFTER_MS ? 'failing' : null;
}
