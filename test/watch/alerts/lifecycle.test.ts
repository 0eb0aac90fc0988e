import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert, Transition } from '../../../protocol/alerts.ts';
import { alertId, nextTransition, subjectOf } from '../../../watch/alerts/lifecycle.ts';
import type { Condition } from '../../../watch/rules/verdict.ts';
import { fold, MONDAY, merchant, SEED, terminals } from '../support/log.ts';

const opening = () => ({ id: 'id-1', type: 'quota.terminals' as const, subject: subjectOf({ acquirer: 'acme', merchant: 'm-1' }) });
const approaching: Condition = {
  severity: 'warning',
  reason: 'approaching',
  cause: 'unknown',
  confidence: 0,
  evidence: [],
  predicted: null,
};

const next = (firing: Alert | null, condition: Condition | null, at = MONDAY): Transition | null =>
  nextTransition(firing, { why: 'for the test', condition }, at, opening);

describe("an alert's id", () => {
  it('follows from type, subject, start and count alone, and differs where any of them differs', () => {
    const name = fc.tuple(
      fc.constantFrom('quota.terminals', 'terminal.offline'),
      fc.string({ minLength: 1, maxLength: 8 }),
      fc.nat(5),
      fc.nat(3),
    );

    fc.assert(
      fc.property(name, name, (a, b) => {
        const id = ([type, subject, at, count]: typeof a) => alertId(`${type} ${subject}`, at, count);

        expect(id(a)).toBe(id([...a]));
        expect(id(a) === id(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('is the same in every version: what is announced under it is known to others', () => {
    expect(alertId('quota.terminals acme/m-1', 1_763_798_400_000, 0)).toBe('f39346f1adf0a6127cd20edc');
    expect(alertId('quota.terminals acme/m-1', 1_763_798_400_000, 1)).not.toBe(alertId('quota.terminals acme/m-1', 1_763_798_400_000, 0));
  });

  it('is that of the alert in any log that leads to it', () => {
    const short = fold([merchant(MONDAY, { terminal_limit: 3 }), ...terminals(MONDAY, 2)]);
    const long = fold([
      merchant(MONDAY - 5, { merchant: 'other', terminal_limit: 1 }),
      merchant(MONDAY - 4, { terminal_limit: 3 }),
      ...terminals(MONDAY, 2),
    ]);

    expect(long.map((t) => t.alert.id)).toEqual(short.map((t) => t.alert.id));
  });
});

describe('the life of an alert', () => {
  it('begins with its first condition', () => {
    expect(next(null, approaching)).toMatchObject({
      at: MONDAY,
      transition: 'fired',
      alert: { id: 'id-1', state: 'firing', seq: 1, startsAt: MONDAY, updatedAt: MONDAY, endsAt: null, acknowledgedBy: null },
    });
  });

  it('is silent while nothing holds, and while the same holds on', () => {
    const { alert } = next(null, approaching)!;

    expect(next(null, null)).toBeNull();
    expect(next(alert, { ...approaching, evidence: [{ what: 'bound', value: 9, at: MONDAY }] }, MONDAY + 1)).toBeNull();
  });

  it.each([
    ['severity', { severity: 'critical' }],
    ['reason', { reason: 'reached' }],
    ['cause', { cause: 'limit_cut' }],
  ] as const)('is updated in place where its %s changes', (_, change) => {
    const { alert } = next(null, approaching)!;

    const updated = next(alert, { ...approaching, ...change }, MONDAY + 1)!;

    expect(updated).toMatchObject({
      transition: 'updated',
      alert: { ...change, id: 'id-1', startsAt: MONDAY, updatedAt: MONDAY + 1, seq: 2 },
    });
  });

  it('takes the remedies of what it says now', () => {
    const { alert } = next(null, approaching)!;

    expect(next(alert, { ...approaching, reason: 'over' }, MONDAY + 1)!.alert.remedy).not.toEqual(alert.remedy);
  });

  it('ends where nothing holds any more, saying what it last said', () => {
    const { alert } = next(null, approaching)!;

    expect(next(alert, null, MONDAY + 9)).toMatchObject({
      at: MONDAY + 9,
      transition: 'resolved',
      alert: { state: 'resolved', reason: 'approaching', endsAt: MONDAY + 9, startsAt: MONDAY, seq: 2 },
    });
  });

  it('never changes what was announced before', () => {
    const first = next(null, approaching)!;
    const announced = JSON.stringify(first);

    next(next(first.alert, { ...approaching, reason: 'over' }, MONDAY + 1)!.alert, null, MONDAY + 2);

    expect(JSON.stringify(first)).toBe(announced);
  });
});
