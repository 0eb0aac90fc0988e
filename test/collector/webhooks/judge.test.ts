import { describe, expect, it } from 'vitest';
import { failureOf, judge } from '../../../collector/webhooks/judge.ts';
import type { Answer } from '../../../collector/webhooks/post.ts';
import { anEndpoint, aWaiting, DAY, HOUR, MINUTE, T } from './examples.ts';

const answered = (status: number, retryAfter?: string): Answer => ({ kind: 'answered', status, retryAfter, text: '' });
const UNANSWERED: Answer = { kind: 'unanswered', why: 'connect ECONNREFUSED' };
/** Of an event whose first attempt, at T, was answered after a second. */
const FIRST = aWaiting({ attempts: 1, firstAt: T, lastAt: T });
const LAST = aWaiting({ attempts: 10, firstAt: T - DAY, lastAt: T });
const NOW = T + 1_000;

const judged = (answer: Answer, changes: Parameters<typeof anEndpoint>[0] = {}, waiting = FIRST) =>
  judge(anEndpoint({ failedAt: NOW - HOUR, ...changes }), waiting, answer, NOW, () => 0);

describe('a success', () => {
  it.each([200, 201, 202, 204, 299])('is %s, and ends what was known of failures', (status) => {
    expect(judged(answered(status), { failingSince: T - HOUR, lastError: 'it answered 500', pausedUntil: T })).toEqual({
      result: 'delivered',
      error: null,
      nextAt: null,
      endpoint: { succeededAt: NOW, failingSince: null, failedAt: null, lastError: null, pausedUntil: null },
    });
  });

  it('of an attempt that was under way leaves the pause that another one was answered', () => {
    expect(judged(answered(200), { failingSince: T, pausedUntil: T + HOUR }).endpoint).toMatchObject({
      failingSince: null,
      pausedUntil: T + HOUR,
    });
  });
});

describe('a failure', () => {
  it.each<[string, Answer, string]>([
    ['a redirect', answered(301), 'it answered 301, and redirects are not followed'],
    ['another redirect', answered(307, '10'), 'it answered 307, and redirects are not followed'],
    ['not modified', answered(304), 'it answered 304, and redirects are not followed'],
    ['a continuation', answered(101), 'it answered 101'],
    ['a request that it does not like', answered(400), 'it answered 400'],
    ['a wrong address', answered(404), 'it answered 404'],
    ['too many requests', answered(429), 'it answered 429'],
    ['its own failure', answered(500), 'it answered 500'],
    ['a maintenance', answered(503), 'it answered 503'],
    ['a status that there is not', answered(999), 'it answered 999'],
    ['no answer', UNANSWERED, 'connect ECONNREFUSED'],
  ])('is %s: it is tried again, and said why', (_, answer, error) => {
    const { result, endpoint, ...rest } = judged(answer);

    expect(failureOf(answer)).toBe(error);
    expect({ result, error: rest.error }).toEqual({ result: 'retry', error });
    expect(rest.nextAt).toBeGreaterThanOrEqual(T + 5_000);
    expect(endpoint).toMatchObject({ failingSince: NOW, lastError: error, disabled: null });
  });

  it('does not begin anew while it goes on', () => {
    expect(judged(UNANSWERED, { failingSince: T - HOUR }).endpoint).toMatchObject({ failingSince: T - HOUR, lastError: UNANSWERED.why });
  });

  it('of the last attempt is the end of the event, whatever the receiver asks for', () => {
    expect(judged(answered(500), {}, LAST)).toMatchObject({ result: 'given_up', nextAt: null, endpoint: { disabled: null } });
    expect(judged(answered(429, '60'), {}, LAST)).toMatchObject({ result: 'given_up', nextAt: null });
  });
});

describe('a receiver that asks us to slow down', () => {
  it.each([
    [answered(429), MINUTE],
    [answered(502), MINUTE],
    [answered(504), MINUTE],
    [answered(429, '120'), 2 * MINUTE],
    [answered(503, '120'), 2 * MINUTE],
    [answered(500, 'Sat, 22 Nov 2025 08:02:01 GMT'), 2 * MINUTE],
    [answered(503, '9999999'), DAY],
  ])('is left alone: %j', (answer, pauseMs) => {
    expect(judged(answer)).toMatchObject({ result: 'retry', nextAt: NOW + pauseMs, endpoint: { pausedUntil: NOW + pauseMs } });
  });

  it('and is away for longer than that is tried when its event is next due', () => {
    const third = aWaiting({ attempts: 3, firstAt: T - 5 * MINUTE, lastAt: T });

    expect(judged(answered(429), {}, third)).toMatchObject({ nextAt: T + 25 * MINUTE, endpoint: { pausedUntil: NOW + MINUTE } });
  });

  it('is not called sooner for what another attempt met', () => {
    for (const answer of [answered(429), answered(503, '1'), answered(500), UNANSWERED]) {
      expect(judged(answer, { pausedUntil: T + HOUR })).toMatchObject({ nextAt: T + HOUR, endpoint: { pausedUntil: T + HOUR } });
    }
  });
});

describe('an endpoint is disabled', () => {
  it('by 410, at once, and its event waits', () => {
    expect(judged(answered(410))).toMatchObject({
      result: 'disabled',
      error: 'it answered 410',
      nextAt: null,
      endpoint: { disabled: 'gone', failingSince: NOW },
    });
  });

  it('by five days of failures, and not a millisecond before', () => {
    expect(judged(answered(500), { failingSince: NOW - 5 * DAY + 1 })).toMatchObject({ result: 'retry', endpoint: { disabled: null } });
    expect(judged(answered(500), { failingSince: NOW - 5 * DAY })).toMatchObject({ result: 'disabled', endpoint: { disabled: 'failing' } });
  });

  it('after a day and more without an attempt begins to count anew', () => {
    const quiet = { failingSince: NOW - 5 * DAY, failedAt: NOW - DAY - 1 };

    expect(judged(answered(500), quiet)).toMatchObject({ result: 'retry', endpoint: { disabled: null, failingSince: NOW } });
  });

  it('rather than that its event is given up', () => {
    expect(judged(answered(410), {}, LAST)).toMatchObject({ result: 'disabled', nextAt: null });
    expect(judged(answered(500), { failingSince: NOW - 5 * DAY }, LAST)).toMatchObject({ result: 'disabled', nextAt: null });
  });

  it.each(['operator', 'gone', 'failing'] as const)(
    'and stays so, for the reason that came first (%s), whatever else fails',
    (disabled) => {
      for (const answer of [answered(410), answered(500), UNANSWERED]) {
        expect(judged(answer, { disabled, failingSince: T - 6 * DAY })).toMatchObject({ result: 'disabled', endpoint: { disabled } });
      }
    },
  );

  it('and delivers what was under way all the same', () => {
    const { result, endpoint } = judged(answered(200), { disabled: 'gone' });

    expect(result).toBe('delivered');
    expect(endpoint).not.toHaveProperty('disabled');
  });
});
