import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, Wheel } from '../../../watch/fold/wheel.ts';
import { SEED } from '../support/log.ts';

type Name = { kind: string; key: string };
type Action = { set: Name; at: number } | { clear: Name } | { take: number };

const name = fc.record({ kind: fc.constantFrom('presence', 'hourly', 'gap'), key: fc.integer({ min: 0, max: 9 }).map((n) => `k${n}`) });
/** Many share a second, and some a millisecond. */
const at = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20_000 }), fc.constant(Number.POSITIVE_INFINITY));
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ set: name, at }) },
  { weight: 1, arbitrary: fc.record({ clear: name }) },
  { weight: 3, arbitrary: fc.record({ take: fc.integer({ min: 0, max: 20_000 }) }) },
);

/** The oracle: an array that is sorted at each look. */
class Sorted {
  #all: Due[] = [];

  set(named: Name, when: number): void {
    this.clear(named);
    if (Number.isFinite(when)) this.#all.push({ at: when, ...named });
  }

  clear(named: Name): void {
    this.#all = this.#all.filter(({ kind, key }) => kind !== named.kind || key !== named.key);
  }

  take(before: number): Due | undefined {
    this.#all.sort((a, b) => a.at - b.at || (`${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1));
    return this.#all[0] && this.#all[0].at < before ? this.#all.shift() : undefined;
  }

  get size(): number {
    return this.#all.length;
  }
}

describe('the wheel', () => {
  it('gives what a sorted list gives, whatever is set, moved, cleared and taken between', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const wheel = new Wheel();
        const sorted = new Sorted();
        for (const a of actions) {
          if ('set' in a) {
            wheel.set(a.set.kind, a.set.key, a.at);
            sorted.set(a.set, a.at);
          } else if ('clear' in a) {
            wheel.clear(a.clear.kind, a.clear.key);
            sorted.clear(a.clear);
          } else expect(wheel.take(a.take)).toEqual(sorted.take(a.take));
          expect(wheel.size).toBe(sorted.size);
        }
        for (let due = sorted.take(Number.POSITIVE_INFINITY); due; due = sorted.take(Number.POSITIVE_INFINITY)) {
          expect(wheel.take(Number.POSITIVE_INFINITY)).toEqual(due);
        }
        expect(wheel.take(Number.POSITIVE_INFINITY)).toBeUndefined();
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('gives nothing at its time, only after it', () => {
    const wheel = new Wheel();
    wheel.set('gap', 'a', 1500);

    expect(wheel.take(1500)).toBeUndefined();
    expect(wheel.take(1501)).toEqual({ at: 1500, kind: 'gap', key: 'a' });
    expect(wheel.take(9999)).toBeUndefined();
  });

  it('orders by key what is due in the same millisecond, however it was set', () => {
    const wheel = new Wheel();
    for (const k of ['c', 'a', 'b']) wheel.set('gap', k, 5);

    expect(['', '', ''].map(() => wheel.take(6)?.key)).toEqual(['a', 'b', 'c']);
  });

  it('takes a deadline that is set earlier than what was taken last', () => {
    const wheel = new Wheel();
    wheel.set('gap', 'late', 9000);
    wheel.set('gap', 'late too', 9500);
    wheel.take(9100);
    wheel.set('gap', 'early', 100);

    expect([wheel.take(10_000)?.key, wheel.take(10_000)?.key]).toEqual(['early', 'late too']);
  });

  it('takes a hundred thousand deadlines of one second, and those that are set again meanwhile, without looking through them all for each', () => {
    const wheel = new Wheel();
    const count = 100_000;
    for (let n = 0; n < count; n++) wheel.set('gap', `terminal ${n}`, (n * 7919) % 1000);
    const began = process.cpuUsage();

    const taken: Due[] = [];
    for (let due = wheel.take(1000); due; due = wheel.take(1000)) {
      taken.push(due);
      if (taken.length % 10 === 0) wheel.set('gap', due.key, 5000);
    }

    expect([taken.length, wheel.size]).toEqual([count, count / 10]);
    expect(taken.every((due, n) => n === 0 || due.at >= taken[n - 1]!.at)).toBe(true);
    // A look at each of the others for each of them takes minutes.
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(10);
  });
});
