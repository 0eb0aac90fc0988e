/** `$SYS/{node}/limits/{limit}`: what a limit is and how often it acted, retained, for monitoring tools. */
import type { Aedes } from 'aedes';
import { LIMIT_NAMES, type LimitName, type LimitValues } from './table.ts';

export interface LimitTopicsOptions {
  aedes: Pick<Aedes, 'publish'>;
  node: string;
  limits: LimitValues;
  acted(): Record<LimitName, number>;
}

/** Returns what tells those that changed since it was called last; the first time, all. */
export function createLimitTopics({ aedes, node, limits, acted }: LimitTopicsOptions): () => void {
  const told: Partial<Record<LimitName, number>> = {};
  return () => {
    const counts = acted();
    for (const name of LIMIT_NAMES) {
      if (told[name] === counts[name]) continue;
      told[name] = counts[name];
      const payload = Buffer.from(JSON.stringify({ limit: limits[name], acted: counts[name] }));
      aedes.publish({ cmd: 'publish', topic: `$SYS/${node}/limits/${name}`, payload, qos: 0, retain: true, dup: false }, () => {});
    }
  };
}
