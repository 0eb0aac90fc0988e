import type { Transition } from '../../protocol/alerts.ts';
import type { Entry } from '../../protocol/entries.ts';
import { entryFromLine } from '../../protocol/replay.ts';
import type { Incident } from '../../simulator/actions.ts';
import { entriesOf } from '../../simulator/entries.ts';
import { scenarioNamed } from '../../simulator/scenarios.ts';
import { DAY_MS, type Story } from '../../simulator/story.ts';
import { Watch } from '../../watch/fold/watch.ts';

/** Midnight of a Monday, UTC. */
export const START = Date.UTC(2026, 2, 2);

export interface Told {
  story: Story;
  lines: string[];
  truth: Incident[];
  endAt: number;
}

export function tell(
  scenario: string,
  { terminals = 40, seed = 1, days = 1, rate }: { terminals?: number; seed?: number; days?: number; rate?: number } = {},
): Told {
  const story: Story = { seed, terminals, scenario: scenarioNamed(scenario)!, startAt: START, speed: 1, rate };
  const truth: Incident[] = [];
  const endAt = START + days * DAY_MS;
  return { story, lines: [...entriesOf(story, endAt, (incident) => truth.push(incident))], truth, endAt };
}

/** Errors: throws at a line that is no entry. */
export function entry(line: string): Entry {
  const read = entryFromLine(line);
  if (!read.ok) throw new Error(`${read.problem}: ${line}`);
  return read.entry;
}

/** What the watch says of a log, each transition as it was then. */
export function transitionsOf(lines: readonly string[]): Transition[] {
  const watch = new Watch();
  const said = lines.flatMap((line) => structuredClone(watch.step(entry(line)).transitions));
  return [...said, ...structuredClone(watch.finish().transitions)];
}
