/** The terminals of a measurement: in as many load processes as their sockets need, moved together. */
import type { LoadOptions, Phase, PhaseResult } from './phases.ts';
import { startChild } from './process.ts';

/** A process may open 20 000 files. */
const TERMINALS_A_PROCESS = 5_000;

export interface Fleet {
  play(phase: Phase): Promise<PhaseResult>;
  stop(): Promise<void>;
}

/** Resolves when all have logged in. */
export async function connectFleet({ connections, ...options }: LoadOptions): Promise<Fleet> {
  const { first = 0, stride = 1 } = options;
  const processes = Math.max(1, Math.ceil(connections / TERMINALS_A_PROCESS));
  const share = Math.ceil(connections / processes);
  const loads = Array.from({ length: processes }, (_, n) => {
    const own = { ...options, first: first + n * share * stride, connections: Math.min(share, connections - n * share) };
    return { child: startChild('load.ts', [JSON.stringify(own)]), part: own.connections / connections };
  });
  const stop = async () => void (await Promise.all(loads.map(({ child }) => child.stop())));
  try {
    for (const { child } of loads) await child.next();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    play: async (phase) =>
      together(
        await Promise.all(
          loads.map(({ child, part }) => {
            child.send(JSON.stringify(phase.kind === 'run' ? { ...phase, rate: phase.rate * part } : phase));
            return child.next<PhaseResult>();
          }),
        ),
      ),
  };
}

/** Sums, and of times the longest. */
function together(results: readonly PhaseResult[]): PhaseResult {
  const all = { ...results[0]! };
  const SUMMED = ['acknowledged', 'offered', 'unacknowledged', 'resent', 'connects', 'disconnects', 'rate'] as const;
  const LONGEST = ['seconds', 'drainSeconds', 'p50', 'p99'] as const;
  for (const result of results.slice(1)) {
    for (const name of SUMMED) all[name] += result[name];
    for (const name of LONGEST) all[name] = Math.max(all[name], result[name]);
  }
  return all;
}
