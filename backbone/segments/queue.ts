import type { Offset } from '../log.ts';
import { Group, recordBytes } from './group.ts';

const IDLE_GROUPS = 2;

/** What waits for a batch, as groups that will each be one. Bounded by what callers have in flight. */
export class Queue {
  readonly #maxBatchBytes: number;
  readonly #groups: Group[] = [];
  readonly #idle: Group[] = [];

  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes;
  }

  get empty(): boolean {
    return this.#groups.length === 0;
  }

  add(records: readonly Uint8Array[], resolve: (offset: Offset) => void, reject: (error: Error) => void): void {
    const bytes = recordBytes(records);
    let group = this.#groups.at(-1);
    if (!group || group.sizeWith(bytes) > this.#maxBatchBytes) {
      group = this.#idle.pop() ?? new Group();
      this.#groups.push(group);
    }
    group.add(records, bytes, resolve, reject);
  }

  take(): Group | undefined {
    return this.#groups.shift();
  }

  /** Gives back a group that is done with; its buffer serves another one. */
  recycle(group: Group): void {
    if (this.#idle.length >= IDLE_GROUPS || group.capacity > 2 * this.#maxBatchBytes) return;
    group.clear();
    this.#idle.push(group);
  }

  rejectAll(error: Error): void {
    for (const group of this.#groups.splice(0)) group.reject(error);
  }
}
