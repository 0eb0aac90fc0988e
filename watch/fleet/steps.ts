/** By how much the clocks of brokers have stepped since the fold began: what came before a step was received by another clock. */
import type { PlatformState } from '../../protocol/entries.ts';
import type { Table } from '../fold/table.ts';

export interface ClockSteps {
  /** Milliseconds, all steps together. */
  ms: number;
}

/** The node name that stands for every node. */
const ALL = '*';

/** Takes a platform entry in. */
export function noteStep(steps: Table<ClockSteps>, platform: PlatformState): void {
  if (platform.state !== 'step') return;
  const { node = ALL, ms } = platform;
  steps.set(node, { ms: (steps.get(node)?.ms ?? 0) + ms });
}

/** Of this node's clock, milliseconds. */
export function steppedMs(steps: Table<ClockSteps>, node: string): number {
  return (steps.get(ALL)?.ms ?? 0) + (steps.get(node)?.ms ?? 0);
}
