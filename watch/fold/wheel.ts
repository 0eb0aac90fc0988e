/**
 * Deadlines. One per key; setting it again moves it. They come due in order of time, and of key where they share a millisecond, so
 * that the order never depends on how the state came about.
 *
 * Buckets of one second, with a heap over the seconds in use: setting and clearing cost the same whatever the number of deadlines.
 */
export interface Due {
  at: number;
  key: string;
}

const BUCKET_MS = 1000;

export class Wheel {
  readonly #deadlines = new Map<string, number>();
  readonly #buckets = new Map<number, Set<string>>();
  readonly #seconds: number[] = [];

  get size(): number {
    return this.#deadlines.size;
  }

  /** Infinity means never. */
  set(key: string, at: number): void {
    this.clear(key);
    if (!Number.isFinite(at)) return;
    this.#deadlines.set(key, at);
    const second = Math.floor(at / BUCKET_MS);
    const bucket = this.#buckets.get(second);
    if (bucket) bucket.add(key);
    else {
      this.#buckets.set(second, new Set([key]));
      push(this.#seconds, second);
    }
  }

  clear(key: string): void {
    const at = this.#deadlines.get(key);
    if (at === undefined) return;
    this.#deadlines.delete(key);
    this.#buckets.get(Math.floor(at / BUCKET_MS))?.delete(key);
  }

  /** Takes the earliest deadline before `before`, or undefined where there is none. */
  take(before: number): Due | undefined {
    for (;;) {
      const second = this.#seconds[0];
      if (second === undefined || second * BUCKET_MS >= before) return undefined;
      const bucket = this.#buckets.get(second)!;
      if (bucket.size === 0) {
        pop(this.#seconds);
        this.#buckets.delete(second);
        continue;
      }
      const due = this.#earliest(bucket);
      if (due.at >= before) return undefined;
      this.clear(due.key);
      return due;
    }
  }

  #earliest(bucket: Set<string>): Due {
    let best: Due | undefined;
    for (const key of bucket) {
      const at = this.#deadlines.get(key)!;
      if (!best || at < best.at || (at === best.at && key < best.key)) best = { at, key };
    }
    return best!;
  }
}

function push(heap: number[], value: number): void {
  let i = heap.push(value) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (heap[parent]! <= heap[i]!) return;
    swap(heap, parent, i);
    i = parent;
  }
}

function pop(heap: number[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  heap[0] = last;
  let i = 0;
  for (;;) {
    const left = 2 * i + 1;
    const right = left + 1;
    let least = i;
    if (left < heap.length && heap[left]! < heap[least]!) least = left;
    if (right < heap.length && heap[right]! < heap[least]!) least = right;
    if (least === i) return;
    swap(heap, i, least);
    i = least;
  }
}

function swap(heap: number[], a: number, b: number): void {
  const value = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = value;
}
