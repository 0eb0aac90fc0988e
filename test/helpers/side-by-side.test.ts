import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { onTestFinished, sideBySide } from './side-by-side.ts';

const cleaned: string[] = [];

describe.concurrent('tests side by side', () => {
  it(
    'are cleaned up each at its own end, whoever began or ended meanwhile',
    sideBySide(async () => {
      await turn();
      onTestFinished(() => cleaned.push('long'));
      await eventually(() => expect(cleaned).toContain('short'));
      await turn();
      onTestFinished(() => cleaned.push('long, later'));

      expect(cleaned).toEqual(['short']);
    }),
  );

  it.for(['short'])(
    'get their case',
    sideBySide(async (one) => {
      await turn();
      onTestFinished(() => cleaned.push(one));
    }),
  );
});

afterAll(() => expect(cleaned).toEqual(['short', 'long, later', 'long']));
