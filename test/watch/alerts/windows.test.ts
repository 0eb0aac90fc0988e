import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertType } from '../../../protocol/alerts.ts';
import type { Match, OperatorWindow } from '../../../protocol/operator.ts';
import { subjectOf } from '../../../watch/alerts/lifecycle.ts';
import { WindowIndex } from '../../../watch/alerts/windows.ts';
import { SEED } from '../support/log.ts';

const TYPES: AlertType[] = ['terminal.offline', 'quota.terminals', 'place.moved'];
const few = fc.constantFrom('a', 'b');
const maybe = fc.option(few, { nil: null });
const about = fc.record({
  type: fc.constantFrom(...TYPES),
  subject: fc.record({ acquirer: maybe, merchant: maybe, site: maybe, terminal: maybe, operator: maybe }).map(subjectOf),
});
const match = fc
  .record({ acquirer: few, merchant: few, site: few, terminal: few, operator: few, type: fc.constantFrom(...TYPES) }, { requiredKeys: [] })
  .map((members): Match => members);
const windows = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: 0, max: 30 }).map(String),
    op: fc.constantFrom('silence' as const, 'maintenance' as const),
    match,
    from: fc.integer({ min: 0, max: 20 }),
    until: fc.option(fc.integer({ min: 1, max: 30 }), { nil: null }),
    by: fc.constant(null),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
);

const within = ({ from, until }: OperatorWindow, at: number, afterMs: number) => from <= at && (until === null || at < until + afterMs);
const covers = ({ match: named }: OperatorWindow, { type, subject }: { type: string; subject: object }) =>
  Object.entries(named).every(([member, value]) => ({ ...subject, type })[member] === value);

describe('the index of silences and maintenance', () => {
  it('finds what a walk over all of them finds, some of them taken out again', () => {
    fc.assert(
      fc.property(
        windows,
        fc.array(fc.nat(11)),
        about,
        fc.integer({ min: 0, max: 35 }),
        fc.constantFrom(0, 5),
        (all, out, it, at, afterMs) => {
          const index = new WindowIndex();
          for (const window of all) index.add(window);
          const gone = new Set(out.map((n) => all[n]).filter((window) => window !== undefined));
          for (const window of gone) index.remove(window);
          const left = all.filter((window) => !gone.has(window) && covers(window, it));

          const silences = left
            .filter((w) => w.op === 'silence' && within(w, at, 0))
            .sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1));
          const planned = left.filter((w) => w.op === 'maintenance' && within(w, at, afterMs));
          const until = planned.length === 0 ? null : Math.max(...planned.map((w) => (w.until ?? Number.POSITIVE_INFINITY) + afterMs));

          expect(index.silenceOf(it, at)).toBe(silences[0]?.id ?? null);
          expect(index.plannedUntil(it, at, afterMs)).toBe(it.type === 'quota.terminals' ? null : until);
          expect(index.isEmpty).toBe(gone.size === all.length);
        },
      ),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});
