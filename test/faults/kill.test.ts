import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { statePaths } from '../../collector/app/logs.ts';
import type { Command } from '../helpers/installation.ts';
import { pick } from './random.ts';
import { playRound, type Round, seeds } from './round.ts';

const KILLS = 3;
const ROUND_MS = 120_000;
const WRITE_WITHIN_MS = 2_000;

/** The files in which a commit of the collector shows: of the store, the watch, the feed, the owner's log. */
function commitFiles({ installation: { paths } }: Round): string[] {
  const { watch, feed } = statePaths(paths);
  return [`${paths.store}.wal`, join(watch, 'data.mdb'), join(feed, 'data.mdb'), join(paths.ownerLog, 'durable')];
}

/** A moment like any other, or one while the collector commits: its own commits are rare, and what matters is between them. */
async function killingMoment(round: Round): Promise<void> {
  await round.wait(50, 1_200);
  if (round.random() < 0.4) return;
  const file = pick(round.random, commitFiles(round));
  await written(file);
  await round.wait(0, 6);
}

/** Kills, now and then while it is still starting, and starts again after a random while. */
async function killAgainAndAgain(round: Round, victims: readonly Command[]): Promise<void> {
  let processes = round.processes.filter(({ command }) => victims.some((victim) => victim === command));
  for (let kill = 0; kill < KILLS; kill++) {
    await killingMoment(round);
    await round.kill(processes);
    await round.wait(0, 400);
    processes = victims.map((command) => round.installation.start(command));
    if (round.random() < 0.7) await Promise.all(processes.map((one) => one.ready()));
  }
  await Promise.all(processes.map((one) => one.ready()));
  await round.wait(200, 500);
}

const SCENARIOS: [what: string, commands: readonly Command[], victims: readonly Command[], seed: number][] = [
  ['broker', ['broker', 'collector'], ['broker'], 1_000],
  ['collector', ['broker', 'collector'], ['collector'], 2_000],
  ['broker and collector', ['broker', 'collector'], ['broker', 'collector'], 3_000],
  ['start', ['start'], ['start'], 4_000],
];

describe.each(SCENARIOS)('kill -9 of %s under load', (what, commands, victims, first) => {
  test.each(seeds(first))('loses nothing that was acknowledged, and no alert (seed %i)', { timeout: ROUND_MS }, async (seed) => {
    await playRound({ scenario: `kill ${what}`, seed, commands }, (round) => killAgainAndAgain(round, victims));
  });
});

/** Resolves when the file is written to, or after a while in which it is not. */
async function written(path: string): Promise<void> {
  const changedAt = () => statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  const before = changedAt();
  for (let tries = 0; tries < WRITE_WITHIN_MS && changedAt() === before; tries++) await delay(1);
}
