/**
 * Deadlines. One for each kind and key; setting it again moves it. They come due in order of time, and of kind and key where they share a
 * millisecond, so that the order never depends on how the state came about.
 *
 * Buckets of one second, with a heap over the seconds in use: setting and clearing cost the same whatever the number of deadlines. What
 * was moved or cleared stays in its bucket until its second comes, or until such are as many as those that stand. A bucket becomes a heap
 * of its own when its second has come, so that a second that a whole fleet shares costs no more a deadline.
 */
import { heapify, pop, push } from './heap.ts';

export interface Due {
  at: number;
  kind: string;
  key: string;
}

const BUCKET_MS = 1000;
/** Fewer deadlines that do not stand any more are never looked for. */
const STALE_LOOKED_FOR = 10_000;

interface Bucket {
  /** Kinds and keys, in turns. */
  names: string[];
  /** What is due in this second, once it has been looked at. */
  due: Due[] | null;
}

export class Wheel {
  /** By kind, then key. */
  readonly #deadlines = new Map<string, Map<string, number>>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #seconds: number[] = [];
  #size = 0;
  /** How many in the buckets do not stand any more. */
  #stale = 0;

  get size(): number {
    return this.#size;
  }

  /** Infinity means never. */
  set(kind: string, key: string, at: number): void {
    const ofKind = this.#ofKind(kind);
    const before = ofKind.get(key);
    if (before === at) return;
    if (!Number.isFinite(at)) return this.clear(kind, key);
    ofKind.set(key, at);
    if (before === undefined) this.#size++;
    else this.#noteStale();
    this.#put({ at, kind, key });
  }

  clear(kind: string, key: string): void {
    if (!this.#ofKind(kind).delete(key)) return;
    this.#size--;
    this.#noteStale();
  }

  /** Takes the earliest deadline before `before`, or undefined where there is none. */
  take(before: number): Due | undefined {
    for (;;) {
      const second = this.#seconds[0];
      if (second === undefined || second * BUCKET_MS >= before) return undefined;
      const bucket = this.#buckets.get(second)!;
      const due = this.#first(bucket, second);
      if (due && due.at >= before) return undefined;
      if (due) {
        pop(bucket.due!, earlier);
        this.#deadlines.get(due.kind)!.delete(due.key);
        this.#size--;
        return due;
      }
      pop(this.#seconds, less);
      this.#buckets.delete(second);
    }
  }

  #ofKind(kind: string): Map<string, number> {
    const known = this.#deadlines.get(kind);
    if (known) return known;
    const made = new Map<string, number>();
    this.#deadlines.set(kind, made);
    return made;
  }

  #put(deadline: Due): void {
    const bucket = this.#bucket(Math.floor(deadline.at / BUCKET_MS));
    if (bucket.due) push(bucket.due, deadline, earlier);
    else bucket.names.push(deadline.kind, deadline.key);
  }

  #bucket(second: number): Bucket {
    const known = this.#buckets.get(second);
    if (known) return known;
    const bucket: Bucket = { names: [], due: null };
    this.#buckets.set(second, bucket);
    push(this.#seconds, second, less);
    return bucket;
  }

  /** The earliest that still stands. */
  #first(bucket: Bucket, second: number): Due | undefined {
    bucket.due ??= heapify(this.#standing(bucket, second), earlier);
    const { due } = bucket;
    while (due[0] && !this.#stands(due[0])) {
      pop(due, earlier);
      this.#stale--;
    }
    return due[0];
  }

  /** What a bucket holds of its second: one that was moved away and back is in it twice, and no longer stands once it was taken. */
  #standing({ names }: Bucket, second: number): Due[] {
    const due: Due[] = [];
    for (let i = 0; i < names.length; i += 2) {
      const [kind, key] = [names[i]!, names[i + 1]!];
      const at = this.#deadlines.get(kind)!.get(key);
      if (at !== undefined && Math.floor(at / BUCKET_MS) === second) due.push({ at, kind, key });
    }
    this.#stale -= names.length / 2 - due.length;
    names.length = 0;
    return due;
  }

  #stands({ at, kind, key }: Due): boolean {
    return this.#deadlines.get(kind)!.get(key) === at;
  }

  #noteStale(): void {
    this.#stale++;
    if (this.#stale > STALE_LOOKED_FOR && this.#stale > this.#size) this.#putAnew();
  }

  #putAnew(): void {
    this.#buckets.clear();
    this.#seconds.length = 0;
    this.#stale = 0;
    for (const [kind, deadlines] of this.#deadlines) for (const [key, at] of deadlines) this.#put({ at, kind, key });
  }
}

function earlier(a: Due, b: Due): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.kind === b.kind ? a.key < b.key : a.kind < b.kind;
}

function less(a: number, b: number): boolean {
  return a < b;
}
