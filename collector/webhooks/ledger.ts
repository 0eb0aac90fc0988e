/** Writes to the webhooks' state, in the order in which they were asked for: what comes while one is under way shares the next. */
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Patience } from '../patience.ts';

export class Ledger {
  readonly #state: StateStore;
  readonly #patience: Patience;
  readonly #stopping: AbortSignal;
  #pending: Change[] = [];
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /** Where the state cannot be written for the moment it is tried again, until `stopping` aborts. */
  constructor(state: StateStore, patience: Patience, stopping: AbortSignal) {
    this.#state = state;
    this.#patience = patience;
    this.#stopping = stopping;
  }

  /** Durable once resolved. Errors: StateError; from then on every write fails. */
  write(changes: readonly Change[]): Promise<void> {
    this.#pending.push(...changes);
    if (this.#next === null) {
      this.#next = this.#last.then(() => this.#commit());
      this.#last = this.#next;
      this.#last.catch(() => {});
    }
    return this.#next;
  }

  async #commit(): Promise<void> {
    const changes = this.#pending;
    this.#pending = [];
    this.#next = null;
    if (changes.length > 0) await this.#patience.outlast(() => this.#state.commit(changes), this.#stopping);
  }
}
