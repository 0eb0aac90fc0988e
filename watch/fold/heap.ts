/** A binary heap in an array: the least is first. `before` tells whether a comes before b. */
type Before<T> = (a: T, b: T) => boolean;

export function push<T>(heap: T[], value: T, before: Before<T>): void {
  let i = heap.push(value) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(heap[i]!, heap[parent]!)) return;
    swap(heap, parent, i);
    i = parent;
  }
}

/** Takes the first out. */
export function pop<T>(heap: T[], before: Before<T>): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  heap[0] = last;
  sink(heap, 0, before);
}

/** Puts an array in heap order, in place. */
export function heapify<T>(values: T[], before: Before<T>): T[] {
  for (let i = (values.length >> 1) - 1; i >= 0; i--) sink(values, i, before);
  return values;
}

function sink<T>(heap: T[], from: number, before: Before<T>): void {
  for (let i = from; ; ) {
    const left = 2 * i + 1;
    const right = left + 1;
    let least = i;
    if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
    if (right < heap.length && before(heap[right]!, heap[least]!)) least = right;
    if (least === i) return;
    swap(heap, i, least);
    i = least;
  }
}

function swap<T>(heap: T[], a: number, b: number): void {
  const value = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = value;
}
