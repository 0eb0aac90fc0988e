/**
 * Deadlines. One per key; setting it again moves it. They come due in order of time, and of key where they share a millisecond, so
 * that the order never depends on how the state came about.
 *
 * Buckets of one second, with a heap over the seconds in use: setting and clearing cost the same whatever the number of deadlines.
 * A bucket becomes a heap of its own when its second has come, so that a second that a whole fleet shares costs no more a deadline.
 */
import { heapify, pop, push } from './heap.ts';

export interface Due {
  at: number;
  key: string;
}

const BUCKET_MS = 1000;

interface Bucket {
  keys: Set<string>;
  /** What is due in this second, once it has been looked at; what was moved since is still in it. */
  due: Due[] | null;
}

export class Wheel {
  readonly #deadlines = new Map<string, number>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #seconds: number[] = [];

  get size(): number {
    return this.#deadlines.size;
  }

  /** Infinity means never. */
  set(key: string, at: number): void {
    if (this.#deadlines.get(key) === at) return;
    this.clear(key);
    if (!Number.isFinite(at)) return;
    this.#deadlines.set(key, at);
    const bucket = this.#bucket(Math.floor(at / BUCKET_MS));
    bucket.keys.add(key);
    if (bucket.due) push(bucket.due, { at, key }, earlier);
  }

  clear(key: string): void {
    const at = this.#deadlines.get(key);
    if (at === undefined) return;
    this.#deadlines.delete(key);
    this.#buckets.get(Math.floor(at / BUCKET_MS))?.keys.delete(key);
  }

  /** Takes the earliest deadline before `before`, or undefined where there is none. */
  take(before: number): Due | undefined {
    for (;;) {
      const second = this.#seconds[0];
      if (second === undefined || second * BUCKET_MS >= before) return undefined;
      const due = this.#first(this.#buckets.get(second)!);
      if (due && due.at >= before) return undefined;
      if (due) {
        this.clear(due.key);
        return due;
      }
      pop(this.#seconds, less);
      this.#buckets.delete(second);
    }
  }

  #bucket(second: number): Bucket {
    const known = this.#buckets.get(second);
    if (known) return known;
    const bucket: Bucket = { keys: new Set(), due: null };
    this.#buckets.set(second, bucket);
    push(this.#seconds, second, less);
    return bucket;
  }

  /** The earliest that still stands. */
  #first(bucket: Bucket): Due | undefined {
    if (bucket.keys.size === 0) return undefined;
    bucket.due ??= heapify(
      [...bucket.keys].map((key) => ({ at: this.#deadlines.get(key)!, key })),
      earlier,
    );
    while (bucket.due[0] && this.#deadlines.get(bucket.due[0].key) !== bucket.due[0].at) pop(bucket.due, earlier);
    return bucket.due[0];
  }
}

function earlier(a: Due, b: Due): boolean {
  return a.at === b.at ? a.key < b.key : a.at < b.at;
}

function less(a: number, b: number): boolean {
  return a < b;
}
