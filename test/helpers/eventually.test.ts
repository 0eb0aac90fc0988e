import { expect, it } from 'vitest';
import { eventually } from './eventually.ts';

it('answers with the first success', async () => {
  let tries = 0;

  const answer = await eventually(
    () => {
      if (++tries < 3) throw new Error('not yet');
      return tries;
    },
    { every: 1 },
  );

  expect(answer).toBe(3);
});

it('throws the last error at the limit', async () => {
  let tries = 0;

  const waiting = eventually(() => Promise.reject(new Error(`try ${++tries}`)), { within: 30, every: 5 });

  await expect(waiting).rejects.toThrow(/^try \d+$/);
  expect(tries).toBeGreaterThan(1);
});

it('does not wait for a condition that never answers', async () => {
  await expect(eventually(() => new Promise(() => {}), { within: 20 })).rejects.toThrow('gave no answer within 20 ms');
});

it('tells what the last try said that answered, where one more was cut off', async () => {
  let tries = 0;
  const slower = () => (++tries < 3 ? Promise.reject(new Error(`try ${tries}`)) : new Promise(() => {}));

  await expect(eventually(slower, { within: 100, every: 1 })).rejects.toThrow('try 2');
});
