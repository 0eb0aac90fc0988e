import { describe, expect, it } from 'vitest';
import { rateOf } from '../../../broker/limits/bucket.ts';
import { createGate } from '../../../broker/limits/gate.ts';
import { eventually } from '../../helpers/eventually.ts';
import { TestClock, testBroker } from '../harness.ts';

const user = (n: number) => `acme/SN${String(n).padStart(6, '0')}`;

describe('a limit to connects a second', () => {
  it('makes what is over it wait for its turn, and answers all', async () => {
    const { terminal, clock, broker } = await testBroker({ limits: { connects: 20 } });
    const answered: number[] = [];
    const all = Array.from({ length: 30 }, (_, i) => i);
    const open = Promise.all(
      all.map(async (i) => {
        expect((await terminal(user(i))).returnCode).toBe(0);
        answered.push(i);
      }),
    );

    await eventually(() => expect([answered.length, broker.stats().limits.connects]).toEqual([20, 10]));
    clock.pass(250);
    await eventually(() => expect(answered).toHaveLength(25));
    clock.pass(250);
    await open;
    expect(broker.stats()).toMatchObject({ connections: 30, refusals: {}, limits: { connects: 10 } });
  });

  it('takes no turn from others for who storms in vain', async () => {
    const { terminal, broker } = await testBroker({ limits: { connects: 2, address_failures: 1 } });
    await terminal(user(0), { password: 'guess' });

    for (let i = 0; i < 5; i += 1) expect((await terminal(user(0))).returnCode).toBe(3);

    expect(broker.stats().limits).toMatchObject({ connects: 0, address_failures: 5 });
  });
});

describe('the line before a gate', () => {
  it('forgets who has gone, wherever in it that was: it is no longer than there are connections', () => {
    const clock = new TestClock();
    const asked: number[] = [];
    const gate = createGate(rateOf(1, 1_000), clock, () => {});
    gate({ gone: () => false, enter: () => {} });
    gate({ gone: () => false, enter: () => {} });
    for (let i = 0; i < 100; i += 1) gate({ gone: () => asked.push(i) > 0, enter: () => {} });

    clock.pass(500);

    expect(asked).toHaveLength(100);
  });

  it('moves in the order in which they came, wastes no turn on who has gone, and ends its timer with its last', () => {
    const clock = new TestClock();
    const timers = { running: 0 };
    const every = (ms: number, run: () => void) => {
      timers.running += 1;
      const stop = clock.every(ms, run);
      return () => {
        timers.running -= 1;
        stop();
      };
    };
    const entered: number[] = [];
    const gate = createGate(rateOf(2, 1_000), { ...clock, every }, () => {});

    for (let i = 0; i < 8; i += 1) gate({ gone: () => i === 3, enter: () => void entered.push(i) });
    expect([entered, timers.running]).toEqual([[0, 1], 1]);
    clock.pass(1_000);
    expect(entered).toEqual([0, 1, 2, 4]);
    clock.pass(1_500);

    expect([entered, timers.running]).toEqual([[0, 1, 2, 4, 5, 6, 7], 0]);
  });
});
