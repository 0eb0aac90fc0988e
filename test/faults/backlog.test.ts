import { expect, it } from 'vitest';
import type { RegistryEntry } from '../../protocol/entries.ts';
import { bound, type Plant, plant, report } from '../collector/owner/harness.ts';

const MINUTE_MS = 60_000;
const HEARTBEAT_MS = 1_000;

/** The registry's changes in the order of the logs, each with the number of messages before it. */
async function changes(p: Plant): Promise<{ at: number; after: number }[]> {
  const { entries } = await p.foldAgain();
  return entries.flatMap((entry, i) => {
    if (entry.kind !== 'registry') return [];
    const after = entries.slice(0, i).filter(({ kind }) => kind === 'message').length;
    return [{ at: (entry as RegistryEntry).at, after }];
  });
}

it('a change of the registry that comes while a backlog is read is stamped with the present, and stands after the backlog', async () => {
  const p = await plant();
  const before = await p.start();
  await p.live(before, 2);
  await before.stop();
  for (let second = 0; second < 15 * 60; second++) {
    p.clock.pass(1_000);
    await p.append(p.beat(), p.message('report', report(p.clock.wall, second)));
  }

  const back = await p.start();
  await back.owner.submit(bound());
  const now = p.clock.wall;
  await p.live(back, 1);
  await back.stop();

  const [change] = await changes(p);
  expect(change).toEqual({ at: expect.any(Number), after: 15 * 60 });
  expect(change!.at).toBeLessThanOrEqual(now);
  expect(change!.at).toBeGreaterThanOrEqual(now - HEARTBEAT_MS);
});

it('a change that comes when everything starts after hours, before the broker is up, is stamped with the present', async () => {
  const p = await plant();
  const before = await p.start();
  await p.live(before, 2);
  await before.stop();
  p.clock.pass(120 * MINUTE_MS);

  const back = await p.start();
  await back.owner.submit(bound());
  const now = p.clock.wall;
  await p.live(back, 1, { boot: 'b2' });
  await back.stop();

  expect((await changes(p)).map(({ at }) => now - at)).toEqual([0]);
});
