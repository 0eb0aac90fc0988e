import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Line, type Waiting } from '../../../collector/webhooks/line.ts';
import { aWaiting, T } from './examples.ts';

/** Does what a Line does by looking at everything each time. */
class NaiveLine {
  readonly all: Waiting[] = [];
  readonly underWay = new Set<Waiting>();

  ofSubject = (subject: string) => this.all.filter((waiting) => waiting.subject === subject);
  subjects = () => [...new Set(this.all.map(({ subject }) => subject))];

  add(waiting: Waiting): boolean {
    if (this.all.some(({ sequence }) => sequence === waiting.sequence)) return false;
    const queue = this.ofSubject(waiting.subject);
    const [busy, waits] = [queue.filter((one) => this.underWay.has(one)), queue.filter((one) => !this.underWay.has(one))];
    this.#put(waiting.subject, [...busy, ...[...waits, waiting].sort((a, b) => a.sequence - b.sequence)]);
    return true;
  }

  /** The first of each subject that has none under way, the sooner and the older before. */
  next(): Waiting | undefined {
    const firsts = this.subjects().map((subject) => this.ofSubject(subject)[0]!);
    return firsts.filter((first) => !this.underWay.has(first)).sort((a, b) => a.nextAt - b.nextAt || a.sequence - b.sequence)[0];
  }

  remove(gone: readonly Waiting[]): void {
    this.all.splice(0, Number.POSITIVE_INFINITY, ...this.all.filter((one) => !gone.includes(one)));
  }

  #put(subject: string, queue: Waiting[]): void {
    this.remove(this.ofSubject(subject));
    this.all.push(...queue);
  }
}

interface Pair {
  line: Line;
  model: NaiveLine;
  now: number;
}

const bySequence = (a: Readonly<Waiting>, b: Readonly<Waiting>) => a.sequence - b.sequence;

/** A step of both; its own expectations are those on what it gives back. A counterexample shows its name. */
type Step = (pair: Pair) => void;
const named = (name: string, step: Step): Step => Object.assign(step, { [fc.toStringMethod]: () => name });

const waitingOf = (sequence: number, nextAt: number) => aWaiting({ sequence, id: `msg_${sequence}`, subject: `a-${sequence % 4}`, nextAt });

const add = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: -5, max: 5 })).map(([sequence, offset]) =>
  named(`add ${sequence} for ${offset}`, ({ line, model, now }) => {
    const waiting = waitingOf(sequence, now + offset);
    expect(line.add(waiting)).toBe(model.add(waiting));
  }),
);

const pass = fc.integer({ min: 1, max: 6 }).map((ms) =>
  named(`pass ${ms}`, (pair) => {
    pair.now += ms;
  }),
);

const take = fc.constant(
  named('take', ({ line, model, now }) => {
    const next = model.next();
    const due = next !== undefined && next.nextAt <= now ? next : undefined;
    expect(line.take(now)).toBe(due);
    if (due) model.underWay.add(due);
  }),
);

const settle = fc.tuple(fc.nat(7), fc.boolean(), fc.option(fc.integer({ min: 1, max: 8 }))).map(([which, done, wait]) =>
  named(`settle ${which}, ${done ? 'done' : `wait ${wait}`}`, ({ line, model, now }) => {
    const busy = [...model.underWay];
    const waiting = busy[which % busy.length];
    if (!waiting) return;
    model.underWay.delete(waiting);
    if (done) model.remove([waiting]);
    // Where its endpoint is disabled, nothing says when it is tried again.
    else if (wait !== null) waiting.nextAt = now + wait;
    line.settle(waiting, done);
  }),
);

const dropUpTo = fc.integer({ min: 1, max: 40 }).map((sequence) =>
  named(`dropUpTo ${sequence}`, ({ line, model }) => {
    const gone = model.all.filter((waiting) => waiting.sequence <= sequence && !model.underWay.has(waiting));
    model.remove(gone);
    expect([...line.dropUpTo(sequence)].sort(bySequence)).toEqual(gone.toSorted(bySequence));
  }),
);

const restart = fc.constant(
  named('restart', ({ line, model, now }) => {
    const restarted = model.all.filter((waiting) => !model.underWay.has(waiting));
    expect([...line.restart(now)].sort(bySequence)).toEqual(restarted.toSorted(bySequence));
    for (const waiting of restarted) expect(waiting).toMatchObject({ attempts: 0, firstAt: null, lastAt: null, nextAt: now });
  }),
);

function expectAlike({ line, model }: Pair): void {
  expect(line.size).toBe(model.all.length);
  expect(line.underWay).toBe(model.underWay.size);
  expect(line.oldestUnderWay).toBe(Math.min(...[...model.underWay].map(({ sequence }) => sequence)));
  expect(line.nextAt()).toBe(model.next()?.nextAt ?? Number.POSITIVE_INFINITY);
  for (const waiting of model.all) expect(line.isUnderWay(waiting)).toBe(model.underWay.has(waiting));
  for (const subject of ['a-0', 'a-1', 'a-2', 'a-3']) {
    const queue = model.ofSubject(subject);
    expect([...line].filter((waiting) => waiting.subject === subject)).toEqual(queue);
    expect(line.last(subject)).toBe(queue.at(-1));
  }
}

describe('a line', () => {
  it('is what a look at everything says it is, whatever is added, taken, settled, dropped and restarted', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: add },
        { weight: 5, arbitrary: take },
        { weight: 4, arbitrary: settle },
        { weight: 2, arbitrary: pass },
        { weight: 1, arbitrary: dropUpTo },
        { weight: 1, arbitrary: restart },
      ),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const pair: Pair = { line: new Line(), model: new NaiveLine(), now: T };
        for (const step of all) {
          step(pair);
          expectAlike(pair);
        }
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('gives the events of an alert one after another, the next once the one before is done with', () => {
    const line = new Line();
    const [fired, updated, resolved] = [1, 5, 9].map((sequence) => waitingOf(sequence, T));
    for (const waiting of [fired!, updated!, resolved!]) line.add(waiting);

    expect(line.take(T)).toBe(fired);
    expect(line.take(T)).toBeUndefined();
    fired!.nextAt = T + 10;
    line.settle(fired!, false);
    expect(line.take(T + 9)).toBeUndefined();
    expect(line.nextAt()).toBe(T + 10);
    expect(line.take(T + 10)).toBe(fired);
    line.settle(fired!, true);
    expect(line.take(T + 10)).toBe(updated);
  });

  it('lets no alert wait for another one, and gives the oldest of those that are due together', () => {
    const line = new Line();
    for (const sequence of [3, 2, 1]) line.add(waitingOf(sequence, T));

    expect([1, 2, 3].map(() => line.take(T)?.sequence)).toEqual([1, 2, 3]);
    expect(line.underWay).toBe(3);
  });

  it('puts what is replayed before what is newer, but behind what is under way', () => {
    const line = new Line();
    for (const sequence of [8, 12]) line.add(waitingOf(sequence, T));
    const underWay = line.take(T)!;

    expect(line.add(waitingOf(4, T))).toBe(true);
    expect(line.add(waitingOf(4, T))).toBe(false);
    line.settle(underWay, true);

    expect([...line].map(({ sequence }) => sequence)).toEqual([4, 12]);
  });

  it('that is empty has nothing due', () => {
    const line = new Line();

    expect(line.nextAt()).toBe(Number.POSITIVE_INFINITY);
    expect(line.take(Number.MAX_SAFE_INTEGER)).toBeUndefined();
    expect(line.last('a-1')).toBeUndefined();
    expect(line.size).toBe(0);
  });
});
