/** How many there are of each key. Nearly always there is one key, for which a map would take three times the room. */
export class Tally<Key> {
  #key: Key | undefined;
  #count = 0;
  /** From the second key on, in place of the two above. */
  #counts: Map<Key, number> | null = null;

  get isEmpty(): boolean {
    return this.#counts ? this.#counts.size === 0 : this.#count === 0;
  }

  /** The key, where there is but one. */
  get only(): Key | undefined {
    if (!this.#counts) return this.#count === 0 ? undefined : this.#key;
    const [first] = this.#counts.keys();
    return this.#counts.size === 1 ? first : undefined;
  }

  add(key: Key, by: 1 | -1): void {
    if (!this.#counts && (this.#count === 0 || this.#key === key)) {
      this.#key = key;
      this.#count += by;
      return;
    }
    this.#counts ??= new Map([[this.#key!, this.#count]]);
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }

  /** How many there are of those keys that `isMeant` is true of. */
  sumOf(isMeant: (key: Key) => boolean): number {
    if (!this.#counts) return this.#count > 0 && isMeant(this.#key!) ? this.#count : 0;
    let sum = 0;
    for (const [key, count] of this.#counts) if (isMeant(key)) sum += count;
    return sum;
  }
}
