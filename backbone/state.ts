/**
 * The state port: tables of rows that a fold saves and finds again after a crash. A save is written in slices while the fold goes
 * on, and becomes visible all at once. Both adapters pass test/contract/state.contract.ts.
 */

/** A row to put, or with `value` null to remove. Keys are at most 500 bytes of UTF-8. */
export interface Change {
  table: string;
  key: string;
  value: Uint8Array | null;
}

export interface StateStore {
  /** The rows of a table as of the last commit, in the order of their keys; with `after`, those with greater keys. */
  rows(table: string, range?: { after: string }): Iterable<{ key: string; value: Uint8Array }>;
  get(table: string, key: string): Uint8Array | undefined;
  /** Writes part of the save that is under way; nothing of it is visible before `commit`, nor after a crash without one. */
  stage(changes: readonly Change[]): Promise<void>;
  /** Makes what was staged and these changes visible, in one transaction; durable once resolved. */
  commit(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

export const STATE_ERRORS = {
  full: 'the state cannot be saved, the disk is full: free disk space',
  failed: 'the state could not be written',
  broken: 'the state cannot be used any more: end what uses it, and start again',
} as const;

/** Of `stage` and `commit`. What the save had staged before stays staged: the call that failed may be made again, alone. */
export class StateError extends Error {
  readonly code: keyof typeof STATE_ERRORS;
  /** Whether the same call may succeed later, with nothing changed by its caller. */
  readonly retry: boolean;

  constructor(code: keyof typeof STATE_ERRORS, detail = '', options?: ErrorOptions) {
    super(detail ? `${STATE_ERRORS[code]} (${detail})` : STATE_ERRORS[code], options);
    this.name = 'StateError';
    this.code = code;
    this.retry = code === 'full' || code === 'failed';
  }
}
