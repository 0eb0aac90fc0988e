/** Crockford's base 32, as ULIDs are written: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/** A new session's name: a ULID, 48 bits of time (epoch milliseconds) and 80 bits of chance, so that names sort by age. */
export function newSession(now: number, random: () => number): string {
  let time = '';
  for (let rest = now, i = 0; i < TIME_CHARACTERS; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let chance = '';
  for (let i = 0; i < RANDOM_CHARACTERS; i++) chance += ALPHABET[Math.floor(random() * 32)];
  return time + chance;
}
