/** What was revoked, in memory: users by the control log, which is read again at each start, and certificates by the lists of their authorities. */
export interface Revocations {
  add(user: string, at: number): void;
  /** The latest revocation of `user`, up to which its tokens are refused; undefined where there is none. */
  revokedAt(user: string): number | undefined;
  /** The certificates that the lists name, in place of those before. */
  list(certificates: ReadonlySet<string>): void;
  /** Whether one of these certificates is on a list. */
  isListed(certificates: readonly string[]): boolean;
}

export function createRevocations(): Revocations {
  const times = new Map<string, number>();
  let listed: ReadonlySet<string> = new Set();
  return {
    add: (user, at) => times.set(user, Math.max(at, times.get(user) ?? at)),
    revokedAt: (user) => times.get(user),
    list: (certificates) => {
      listed = certificates;
    },
    isListed: (certificates) => certificates.some((id) => listed.has(id)),
  };
}
