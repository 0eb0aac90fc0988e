import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { paced } from '../../../broker/listeners/paced.ts';

it('begins so many a turn, in order, and goes on for what comes later', async () => {
  const begun: number[] = [];
  const inTurn = paced(3);
  const ask = (n: number) => inTurn(() => void begun.push(n));
  const turns: number[] = [];

  for (let n = 1; n <= 8; n++) ask(n);
  for (let turn = 0; turn < 3; turn++) {
    await nextTurn();
    turns.push(begun.length);
  }
  ask(9);
  await nextTurn();

  expect(turns).toEqual([3, 6, 8]);
  expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('takes one that is asked for while another begins', async () => {
  const begun: string[] = [];
  const inTurn = paced(1);

  inTurn(() => {
    begun.push('first');
    inTurn(() => void begun.push('second'));
  });
  await nextTurn();
  await nextTurn();

  expect(begun).toEqual(['first', 'second']);
});
