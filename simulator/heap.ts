/** A binary heap of what is due, the earliest first; of one moment, the one with the lower `order`. */
export interface Due {
  nextAt: number;
  /** Differs for each. */
  order: number;
  /** The heap's own: the time by which it stands where it stands, and where that is. */
  key: number;
  slot: number;
}

function before(a: Due, b: Due): boolean {
  return a.key < b.key || (a.key === b.key && a.order < b.order);
}

export function push<T extends Due>(heap: T[], value: T): void {
  value.key = value.nextAt;
  value.slot = heap.push(value) - 1;
  rise(heap, value);
}

/** Puts one where it belongs, now that its `nextAt` has changed. */
export function moved<T extends Due>(heap: T[], value: T): void {
  if (value.key === value.nextAt) return;
  value.key = value.nextAt;
  rise(heap, value);
  sink(heap, value);
}

function put<T extends Due>(heap: T[], value: T, slot: number): void {
  heap[slot] = value;
  value.slot = slot;
}

function rise<T extends Due>(heap: T[], value: T): void {
  let { slot } = value;
  while (slot > 0) {
    const parent = heap[(slot - 1) >> 1]!;
    if (!before(value, parent)) break;
    put(heap, parent, slot);
    slot = (slot - 1) >> 1;
  }
  put(heap, value, slot);
}

function sink<T extends Due>(heap: T[], value: T): void {
  let { slot } = value;
  for (;;) {
    let child = 2 * slot + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, value)) break;
    put(heap, heap[child]!, slot);
    slot = child;
  }
  put(heap, value, slot);
}
