import type { Sample } from '../../protocol/schemas/sample.ts';
import type { Probe } from './probe.ts';

/** What the uplink saw since it was asked last. */
export type LinkReading = Required<Pick<NonNullable<Sample['link']>, 'reconnects' | 'connectedSeconds'>>;

/** What the agent knows of its own connection: one sample each interval, or, where that is null, one sample and no more. */
export function linkProbe(intervalSeconds: number | null, takeReading: () => LinkReading, now: () => number): Probe {
  let lastAt: number | null = null;
  return {
    name: 'link',
    recorded: false,
    nextAt() {
      if (lastAt === null) return now();
      if (intervalSeconds === null) return null;
      // A clock that was set back must not silence the terminal for as long.
      return now() < lastAt ? now() : lastAt + intervalSeconds * 1000;
    },
    async read(at) {
      lastAt = at;
      return [{ at, link: takeReading() }];
    },
    close: async () => {},
  };
}
