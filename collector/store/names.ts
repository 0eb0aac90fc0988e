/** Names of fields recur in every point: what is known of each is looked up, not worked out again. */
const MOST_NAMES = 10_000;

/** A function of names that remembers its answers. */
export function byName<T>(work: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      if (known.size >= MOST_NAMES) known.clear();
      found = work(name);
      known.set(name, found);
    }
    return found;
  };
}
