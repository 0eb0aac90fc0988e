import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Bell } from '../../collector/bell.ts';

const signal = () => new AbortController().signal;

/** Whether a promise has resolved by the next turn of the event loop. */
async function isHeard(heard: Promise<void>): Promise<boolean> {
  return Promise.race([heard.then(() => true), nextTurn(false)]);
}

describe('a bell', () => {
  it('wakes who waits, and not before it rings', async () => {
    const bell = new Bell();
    const heard = bell.heard(signal());

    expect(await isHeard(heard)).toBe(false);
    bell.ring();
    expect(await isHeard(heard)).toBe(true);
  });

  it('that rang while nobody waited is heard by the next who does, once', async () => {
    const bell = new Bell();
    for (let i = 0; i < 3; i++) bell.ring();

    expect(await isHeard(bell.heard(signal()))).toBe(true);
    expect(await isHeard(bell.heard(signal()))).toBe(false);
  });

  it('that was heard rings for the next wait anew', async () => {
    const bell = new Bell();
    const first = bell.heard(signal());
    bell.ring();
    await first;
    const second = bell.heard(signal());

    expect(await isHeard(second)).toBe(false);
    bell.ring();
    expect(await isHeard(second)).toBe(true);
  });

  it('lets who waits go when the signal aborts, before or meanwhile', async () => {
    const bell = new Bell();
    const stop = new AbortController();
    const heard = bell.heard(stop.signal);

    stop.abort();

    expect(await isHeard(heard)).toBe(true);
    expect(await isHeard(bell.heard(stop.signal))).toBe(true);
    expect(await isHeard(bell.heard(signal()))).toBe(false);
  });

  it('that rings after its listener went is heard by the next', async () => {
    const bell = new Bell();
    const stop = new AbortController();
    const heard = bell.heard(stop.signal);
    stop.abort();
    await heard;
    bell.ring();

    expect(await isHeard(bell.heard(AbortSignal.abort()))).toBe(true);
    expect(await isHeard(bell.heard(signal()))).toBe(true);
    expect(await isHeard(bell.heard(signal()))).toBe(false);
  });

  it('leaves nothing at a signal that lives on', async () => {
    const bell = new Bell();
    const lasting = signal();
    for (let i = 0; i < 5; i++) {
      const heard = bell.heard(lasting);
      bell.ring();
      await heard;
    }

    expect(getEventListeners(lasting, 'abort')).toEqual([]);
  });
});
