/** What a client may subscribe to, and what it is sent in the end. */
import type { AedesOptions } from 'aedes';
import { mayReceive, maySubscribe } from './access.ts';
import type { Audience } from './front/audience.ts';
import type { Refusals } from './refusals.ts';
import type { Sessions } from './sessions.ts';

export interface Subscribing extends Required<Pick<AedesOptions, 'authorizeSubscribe' | 'authorizeForward'>> {
  /** Messages that a monitoring tool was too slow for. */
  forwardsDropped(): number;
}

/** Bytes that wait for a monitoring tool before it loses messages: a slow one must not hold up the fleet. */
const MAX_BACKLOG_BYTES = 256 * 1024;

/** Stands for each refused filter in a session that Aedes stores. */
const REFUSED_FILTER = 'refused';

export function createSubscribing(sessions: Sessions, refusals: Refusals, audience: Pick<Audience, 'join'>): Subscribing {
  let forwardsDropped = 0;
  return {
    /**
     * Aedes stores all filters of a SUBSCRIBE as soon as one is granted, and queues for the stored ones above QoS 0 without limit. So a
     * refused one is made harmless, and the answer waits until its neighbours in the packet were looked at.
     */
    authorizeSubscribe(client, subscription, callback) {
      const session = sessions.of(client);
      const filter = subscription.topic;
      const verdict = session && maySubscribe(session.user, filter);
      if (verdict?.ok) {
        // A terminal hears commands alone, which no terminal sends.
        if (session?.user.kind === 'noc') audience.join(client, filter);
        queueMicrotask(() => callback(null, subscription));
        return;
      }
      if (session && verdict && filter !== REFUSED_FILTER) refusals.add(verdict.reason, session.user.user, `subscribe to ${filter}`);
      Object.assign(subscription, { topic: REFUSED_FILTER, qos: 0 });
      queueMicrotask(() => callback(null, null));
    },
    authorizeForward(client, packet) {
      const user = sessions.of(client)?.user;
      if (!user || !mayReceive(user, packet.topic)) return null;
      if (user.kind === 'noc' && client.conn.writableLength > MAX_BACKLOG_BYTES) {
        forwardsDropped += 1;
        return null;
      }
      return packet;
    },
    forwardsDropped: () => forwardsDropped,
  };
}
