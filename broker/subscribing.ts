/** What a client may subscribe to, and what it is sent in the end. */
import type { AedesOptions, Client } from 'aedes';
import type { User } from '../backbone/credentials/users.ts';
import { mayReceive, maySubscribe } from './access.ts';
import type { Audience } from './front/audience.ts';
import type { Acted } from './limits/acted.ts';
import type { LimitValues } from './limits/table.ts';
import type { RefusalReason, Refusals } from './refusals.ts';
import type { Sessions } from './sessions.ts';

export type Subscribing = Required<Pick<AedesOptions, 'authorizeSubscribe' | 'authorizeForward'>>;

export interface SubscribingOptions {
  sessions: Sessions;
  refusals: Refusals;
  audience: Pick<Audience, 'join'>;
  limits: Pick<LimitValues, 'tool_backlog_bytes'>;
  acted: Acted;
}

/** Stands for each refused filter in a session that Aedes stores. */
const REFUSED_FILTER = 'refused';

export function createSubscribing({ sessions, refusals, audience, limits, acted }: SubscribingOptions): Subscribing {
  function problem(client: Client, user: User, filter: string): RefusalReason | undefined {
    const verdict = maySubscribe(user, filter);
    if (!verdict.ok) return verdict.reason;
    // A terminal hears commands alone, which no terminal sends.
    return user.kind === 'noc' && !audience.join(client, filter) ? 'too_many_subscriptions' : undefined;
  }

  return {
    /**
     * Aedes stores all filters of a SUBSCRIBE as soon as one is granted, and queues for the stored ones above QoS 0 without limit. So a
     * refused one is made harmless, and the answer waits until its neighbours in the packet were looked at.
     */
    authorizeSubscribe(client, subscription, callback) {
      const session = sessions.of(client);
      const filter = subscription.topic;
      const reason = session && problem(client, session.user, filter);
      if (session && !reason) {
        queueMicrotask(() => callback(null, subscription));
        return;
      }
      if (session && reason && filter !== REFUSED_FILTER) refusals.add(reason, session.user.user, `subscribe to ${filter}`);
      Object.assign(subscription, { topic: REFUSED_FILTER, qos: 0 });
      queueMicrotask(() => callback(null, null));
    },
    authorizeForward(client, packet) {
      const user = sessions.of(client)?.user;
      if (!user || !mayReceive(user, packet.topic)) return null;
      if (user.kind === 'noc' && client.conn.writableLength > limits.tool_backlog_bytes) {
        acted.add('tool_backlog_bytes');
        return null;
      }
      return packet;
    },
  };
}
