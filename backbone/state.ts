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
