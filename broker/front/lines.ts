/** A line for each acquirer. They are served in turn, so who waits behind a storm of another acquirer's does not wait longer. */
export interface Lines<T> {
  join(acquirer: string, entry: T): void;
  leave(acquirer: string, entry: T): void;
  /** Takes `count` entries at most, one of each acquirer in turn, and hands them to `go`; none of an acquirer that `mayGo` says no of. */
  serve(count: number, mayGo: (acquirer: string) => boolean, go: (entry: T) => void): void;
}

export function createLines<T>(): Lines<T> {
  const lines = new Map<string, Set<T>>();

  function leave(acquirer: string, entry: T): void {
    const line = lines.get(acquirer);
    if (line?.delete(entry) && line.size === 0) lines.delete(acquirer);
  }

  return {
    join(acquirer, entry) {
      const line = lines.get(acquirer);
      if (line) line.add(entry);
      else lines.set(acquirer, new Set([entry]));
    },
    leave,
    serve(count, mayGo, go) {
      let left = count;
      // A line that is put back is met again in the same loop, after all others.
      for (const [acquirer, line] of lines) {
        if (left === 0) return;
        if (!mayGo(acquirer)) continue;
        const [first] = line;
        lines.delete(acquirer);
        line.delete(first!);
        if (line.size > 0) lines.set(acquirer, line);
        left -= 1;
        go(first!);
      }
    },
  };
}
