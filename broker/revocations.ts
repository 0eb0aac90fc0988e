/** The times up to which users' tokens are refused, in memory: the control log brings them, and again at each start. */
export interface Revocations {
  add(user: string, at: number): void;
  /** The latest revocation of `user`, or undefined where there is none. */
  revokedAt(user: string): number | undefined;
}

export function createRevocations(): Revocations {
  const times = new Map<string, number>();
  return {
    add: (user, at) => times.set(user, Math.max(at, times.get(user) ?? at)),
    revokedAt: (user) => times.get(user),
  };
}
