import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answers, obey } from '../../../agent/uplink/commands.ts';

const NOW = 1_763_798_400_000;

async function run(command: unknown, answers: Answers = new Map()) {
  const called: string[] = [];
  const handlers = { rebirth: async () => void called.push('rebirth'), report_now: async () => void called.push('report_now') };
  const bytes = typeof command === 'string' ? Buffer.from(command) : Buffer.from(JSON.stringify(command));
  return { ack: await obey(bytes, handlers, answers, NOW), called };
}

describe('a command', () => {
  test.each(['rebirth', 'report_now'] as const)('%s is done, and answered', async (type) => {
    expect(await run({ v: 1, id: 'c1', type, expires: NOW + 1 })).toEqual({
      called: [type],
      ack: { v: 1, id: 'c1', ok: true, error: null },
    });
  });

  test.each(['diagnose', 'a_type_of_next_year', 'constructor'])('%s is answered as not supported', async (type) => {
    expect(await run({ v: 1, id: 'c1', type })).toEqual({ called: [], ack: { v: 1, id: 'c1', ok: false, error: 'not supported' } });
  });

  test('that has expired is not done and not answered', async () => {
    expect(await run({ v: 1, id: 'c1', type: 'rebirth', expires: NOW })).toEqual({ called: [], ack: null });
  });

  test('that fails is answered with its error', async () => {
    const handlers = { rebirth: () => Promise.reject(new Error('no paper')), report_now: async () => {} };

    const ack = await obey(Buffer.from(JSON.stringify({ v: 1, id: 'c1', type: 'rebirth' })), handlers, new Map(), NOW);

    expect(ack).toEqual({ v: 1, id: 'c1', ok: false, error: 'no paper' });
  });

  test('that comes again is answered as before, and not done again', async () => {
    const answers: Answers = new Map();
    const command = { v: 1, id: 'c1', type: 'report_now' };

    const [first, second] = [await run(command, answers), await run(command, answers)];

    expect([first.called, second.called]).toEqual([['report_now'], []]);
    expect(second.ack).toEqual(first.ack);
  });

  test('is remembered while 100 others come, and its answer takes no more room than that', async () => {
    const answers: Answers = new Map();
    for (let n = 0; n < 150; n++) await run({ v: 1, id: `c${n}`, type: 'report_now' }, answers);

    expect(answers.size).toBe(100);
    expect((await run({ v: 1, id: 'c50', type: 'report_now' }, answers)).called).toEqual([]);
  });

  test('that is none does nothing, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        expect(await run(text)).toEqual({ called: [], ack: null });
      }),
      { seed: 1 },
    );
  });
});
