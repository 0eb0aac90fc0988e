/** Which topics somebody listens to: their messages have to go through Aedes, which sends them on. */
import type { Client } from 'aedes';

export interface Audience {
  /** A client is about to be subscribed. False where it has too many filters; then nothing changes. */
  join(client: Client, filter: string): boolean;
  leave(client: Client, filters: readonly string[]): void;
  /** Another number whenever an answer of `hears` may be another. */
  version(): number;
  hears(topic: string): boolean;
}

export function createAudience(maxFilters: number): Audience {
  const filters = new Map<Client, Set<string>>();
  let version = 0;

  const forget = (client: Client) => {
    if (filters.delete(client)) version += 1;
  };
  return {
    join(client, filter) {
      let own = filters.get(client);
      if (own && own.size >= maxFilters && !own.has(filter)) return false;
      if (!own) {
        own = new Set();
        filters.set(client, own);
        client.conn.once('close', () => forget(client));
      }
      own.add(filter);
      version += 1;
      return true;
    },
    leave(client, left) {
      const own = filters.get(client);
      if (!own) return;
      for (const filter of left) own.delete(filter);
      version += 1;
    },
    version: () => version,
    hears: (topic) => [...filters.values()].some((own) => [...own].some((filter) => matches(filter, topic))),
  };
}

/** MQTT 3.1.1, 4.7, for a topic of terminals: it has no empty level and does not begin with `$`. */
function matches(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')];
  const depth = wanted.at(-1) === '#' ? wanted.length - 1 : wanted.length;
  const longEnough = depth === wanted.length ? levels.length === depth : levels.length >= depth;
  return longEnough && wanted.slice(0, depth).every((level, i) => level === '+' || level === levels[i]);
}
