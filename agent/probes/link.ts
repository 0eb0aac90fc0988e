import type { Sample } from '../../protocol/schemas/sample.ts';
import type { Probe } from './probe.ts';

/** What the uplink saw since it was asked last. */
export type LinkReading = Required<Pick<NonNullable<Sample['link']>, 'reconnects' | 'connectedSeconds'>>;

/** One sample each interval of what the agent knows of its own connection. */
export function linkProbe(intervalSeconds: number, takeReading: () => LinkReading, now: () => number): Probe {
  const intervalMs = intervalSeconds * 1000;
  let lastAt: number | null = null;
  return {
    name: 'link',
    recorded: false,
    // A clock that was set back must not silence the terminal for as long.
    nextAt: () => (lastAt === null || now() < lastAt ? now() : lastAt + intervalMs),
    async read(at) {
      lastAt = at;
      return [{ at, link: takeReading() }];
    },
    close: async () => {},
  };
}
