/** The machine's clock jumps an hour ahead or back under load, and is put right again. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type MovableClock, movableClock } from '../helpers/faketime.ts';
import { lacks } from '../helpers/servers.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { byForm, seeds } from './form.ts';
import { offlineTerminals, platformStates } from './observe.ts';
import { pick } from './random.ts';
import { note, playRound, type Round, type RoundOptions } from './round.ts';
import { tabled } from './table.ts';

const ROUND_MS = 300_000;
const HOUR_SECONDS = 3_600;
/** Short, so that who falls silent is soon missed, and all would be if an hour had passed. */
const INTERVAL_SECONDS = 5;
/** Missed after 8 s in the short form, in place of 15; where the clock was put back, time goes on at half its pace meanwhile. */
const RULES = byForm({ 'terminal.offline': { offlineIntervals: 1.6, offlineKeepalives: 1.6 } }, {});
/** Time may go on at half its pace, after a time in which nobody is missed. */
const TOLD_WITHIN_MS = 90_000;

describe.skipIf(lacks('faketime'))('a clock that jumps an hour', () => {
  const rounds = tabled('clock');

  test.each(seeds(14_000))('costs no report, makes nobody offline, and time goes on (seed %i)', { timeout: ROUND_MS }, async (seed) => {
    const clock = await movableClock();
    const ahead = seed % 2 === 0;
    const commands = pick(() => (seed % 4) / 4, [['start'], ['broker', 'collector']] as const);
    const rules = join(await tempDir(), 'rules.json');
    await writeFile(rules, JSON.stringify(RULES), { mode: 0o600 });
    const short = { intervalSeconds: INTERVAL_SECONDS, env: { ...clock.env, TILLWATCH_RULES: rules } };
    const options: RoundOptions = { scenario: `clock ${ahead ? 'ahead' : 'back'}`, seed, commands, store: 'embedded', rounds, ...short };
    const transitions = await playRound(options, async (round) => {
      const gone = pick(round.random, round.sns);
      await round.wait(0, 2_000);
      await jump(round, clock, ahead ? HOUR_SECONDS : -HOUR_SECONDS);
      const letBack = await round.fleet.cutOff([gone]);
      await eventually(async () => expect(await offlineTerminals(round.installation)).toEqual([gone]), {
        within: TOLD_WITHIN_MS,
        every: 200,
      });
      await jump(round, clock, 0);
      letBack();
      await round.wait(2_000, 4_000);
      expect(await offlineTerminals(round.installation)).toEqual([gone]);
    });
    expect(transitions.filter(({ alert, transition }) => alert.type === 'terminal.offline' && transition === 'fired')).toHaveLength(1);
  });
});

/** Resolves when the product has seen it. A collector that sees it before the broker takes that for silent, until it sees it too. */
async function jump(round: Round, clock: MovableClock, seconds: number): Promise<void> {
  const seen = async () => (await platformStates(round.installation.paths)).filter(({ state }) => state !== 'down').length;
  const before = await seen();
  clock.move(seconds);
  await eventually(async () => expect(await seen()).toBeGreaterThan(before), { within: 60_000, every: 200 });
  note(round, `clock to ${seconds} s`);
}
