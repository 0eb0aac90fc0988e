import { setImmediate as nextTurn } from 'node:timers/promises';
import { StateError } from './state.ts';

/** lmdb.h: no more pages in the file or in the address space. */
const MAP_FULL = -30792;
/** lmdb.h: damaged pages, a fatal error of the environment, another version or format of the file. */
const FATAL = new Set([-30796, -30797, -30795, -30794, -30793]);
const FULL = /No space left on device|Disk quota exceeded|There is not enough space/i;

/**
 * What a transaction that LMDB refused means. The binding puts the reason into a second promise of the error's, `commitError`, which
 * rejects on its own: left without a handler it would end the process.
 */
export async function stateErrorOf(error: unknown): Promise<StateError> {
  if (error instanceof StateError) return error;
  const { commitError } = error as { commitError?: Promise<never> };
  const reason = commitError?.catch((cause: unknown) => cause);
  const cause = ((await Promise.race([reason, nextTurn()])) ?? error) as Error & { code?: number | string };
  if (FATAL.has(Number(cause.code))) return new StateError('broken', cause.message, { cause });
  const full = Number(cause.code) === MAP_FULL || FULL.test(cause.message);
  return new StateError(full ? 'full' : 'failed', cause.message, { cause });
}
