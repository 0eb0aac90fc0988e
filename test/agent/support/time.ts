import type { Timers } from '../../../agent/timers.ts';

interface Pending {
  at: number;
  fn: () => void;
}

/** A clock and its timers that stand still until they are moved. */
export class TestTime {
  #now: number;
  #pending = new Set<Pending>();

  constructor(startAt = Date.UTC(2025, 10, 22, 8)) {
    this.#now = startAt;
  }

  /** Whole milliseconds, as the real clock has them. */
  readonly now = (): number => Math.floor(this.#now);

  readonly timers: Timers = {
    set: (ms, fn) => {
      const timer = { at: this.#now + ms, fn };
      this.#pending.add(timer);
      return () => this.#pending.delete(timer);
    },
  };

  /** Milliseconds until each timer that is set, soonest first. */
  get waits(): number[] {
    return [...this.#pending].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Lets `ms` milliseconds pass; timers fire in their order, those too that are set meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
    }
    this.#now = end;
  }

  /** The clock is set to another time; timers do not notice. */
  step(ms: number): void {
    this.#now += ms;
    for (const timer of this.#pending) timer.at += ms;
  }
}
