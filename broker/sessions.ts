/** The connections that were let in. */
import type { Client } from 'aedes';
import type { User } from '../backbone/credentials/users.ts';

/** What a session was let in by, and when that was issued: a token under a key, or a certificate, by its names on revocation lists. */
export type Proof = { issued: number } & ({ keyId: string } | { certificates: readonly string[] });

export interface Session {
  readonly user: User;
  readonly proof: Proof;
  readonly client: Client;
  /** How often it must be heard, as the broker bounds it. */
  readonly keepaliveSeconds: number;
  /** Its messages that wait for the log and that Aedes acknowledges. */
  inAedes: number;
  /**
   * Why the broker ends it, where it does. `refused`: the client broke a rule, and its Will is due as after any broken connection.
   * `ours`: the reason is on our side, or an operator's, so it is no sign that the terminal was lost.
   */
  ended?: 'refused' | 'ours';
}

export interface Sessions {
  /** Until the connection closes, it counts as open. */
  admit(client: Client, user: User, proof: Proof, keepaliveSeconds: number): void;
  /** The session of a client, also for the last words that come after its connection has closed. */
  of(client: Client): Session | undefined;
  /** Open sessions of a user. */
  open(user: string): Session[];
  /** Ends those open ones whose proof is good no more, of one user or of all. No Will is due: it is an operator who ends them. */
  end(isOver: (proof: Proof) => boolean, user?: string): void;
  count(): number;
}

export function createSessions(): Sessions {
  const byClient = new WeakMap<Client, Session>();
  const byUser = new Map<string, Set<Session>>();
  let count = 0;

  const remove = (session: Session) => {
    const others = byUser.get(session.user.user);
    if (!others?.delete(session)) return;
    count -= 1;
    if (others.size === 0) byUser.delete(session.user.user);
  };

  return {
    admit(client, user, proof, keepaliveSeconds) {
      const session: Session = { user, proof, client, keepaliveSeconds, inAedes: 0 };
      const others = byUser.get(user.user) ?? new Set();
      byClient.set(client, session);
      byUser.set(user.user, others.add(session));
      count += 1;
      client.conn.once('close', () => remove(session));
    },
    of: (client) => byClient.get(client),
    open: (user) => [...(byUser.get(user) ?? [])],
    end(isOver, user) {
      const sets = user === undefined ? [...byUser.values()] : [byUser.get(user) ?? []];
      for (const session of sets.flatMap((sessions) => [...sessions])) {
        if (!isOver(session.proof)) continue;
        session.ended = 'ours';
        session.client.close();
      }
    },
    count: () => count,
  };
}
