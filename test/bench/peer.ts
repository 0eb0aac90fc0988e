/** Side by side: Mosquitto with Telegraf, and Tillwatch, over the same messages; in turns, so that a drift of the machine meets all. */
import { benchServers } from './bench-servers.ts';
import type { Options, Row } from './figures.ts';
import { compare } from './peer/compare.ts';
import { type Run, run } from './peer/run.ts';
import { GROUPS, scenariosOf } from './peer/scenarios.ts';
import { SIDES, type SideName } from './peer/sides.ts';

/**
 * Rows: a scenario and a side; ours in parts of the peer's, and the aims that are missed. Options: groups and sides, separated by
 * commas, rounds, parser (fields or all: what Telegraf takes of a report), seconds in place of each scenario's own, and profiles, a
 * folder for those of our processes. The embedded store has no part in faults, as it is no process of its own.
 */
export async function benchPeer(options: Options): Promise<Row[]> {
  const fixed = {
    servers: benchServers(),
    parser: options.parser === 'all' ? ('all' as const) : ('fields' as const),
    profiles: options.profiles,
  };
  const rounds = Number(options.rounds ?? 1);
  const sides = (options.sides?.split(',') as SideName[] | undefined) ?? SIDES;
  const rows: Row[] = [];
  for (const planned of scenariosOf(options.groups?.split(',') ?? GROUPS)) {
    const scenario = options.seconds ? { ...planned, seconds: Number(options.seconds) } : planned;
    const runs: Run[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const side of sides) {
        if (side === 'embedded' && scenario.faults.length > 0) continue;
        const one = await run(scenario, side, fixed);
        console.error(JSON.stringify(one));
        runs.push(one);
      }
    }
    rows.push(...compare(scenario, runs));
  }
  return rows;
}
