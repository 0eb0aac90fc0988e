/** How many cases are played, from which seed, and how many were. */

/** What CI plays, in a minute and a half of one core. */
export const CASES_IN_CI = 200_000;

/** Longer runs by hand: TILLWATCH_FUZZ_CASES=5000000 TILLWATCH_FUZZ_SEED=$RANDOM npx vitest run test/fuzz */
export const CASES = wholeNumber('TILLWATCH_FUZZ_CASES') ?? CASES_IN_CI;
export const SEED = wholeNumber('TILLWATCH_FUZZ_SEED') ?? 20_251_122;

/** What a property gets of all cases: they cost unlike much. */
const SHARES = { payloads: 0.4, columns: 0.05, topics: 0.45, connections: 0.1 } as const;
export type Share = keyof typeof SHARES;

const CASES_A_TURN = 500;

export interface Budget {
  /** The settings of a property that plays its share, `perRun` cases in each of its runs. */
  settings(share: Share, perRun?: number): { seed: number; numRuns: number };
  /** Counts cases; it lets the event loop turn now and then: what zlib leaves after an error goes with its next turn. */
  played(cases?: number): Promise<void> | undefined;
  total(): number;
}

export function createBudget(): Budget {
  let total = 0;
  return {
    settings: (share, perRun = 1) => ({ seed: SEED, numRuns: Math.ceil((CASES * SHARES[share]) / perRun) }),
    played(cases = 1) {
      total += cases;
      return total % CASES_A_TURN === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
    },
    total: () => total,
  };
}

function wholeNumber(name: string): number | undefined {
  const text = process.env[name];
  if (!text) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name}=${text} is no whole number`);
  return Number(text);
}
