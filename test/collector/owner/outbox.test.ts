import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { type OutboxRow, outboxAfter, packs, removals } from '../../../collector/owner/outbox.ts';

const row = (n: number): OutboxRow => ({
  kind: 'row',
  row: {
    measurement: 'merchant',
    at: n,
    acquirer: 'acme',
    merchant: 'm-1',
    limit: null,
    held: n,
    pending: 0,
    reclaimable: 0,
    headroom: null,
  },
});

/** With 250 rows in it, numbered from 1. */
async function full() {
  const state = openMemoryState();
  const rows = Array.from({ length: 250 }, (_, i) => JSON.stringify(row(i + 1)));
  await state.commit(packs(rows.slice(0, 30), 30));
  await state.commit(packs(rows.slice(30), 250));
  return { state, numbers: (after: number) => [...outboxAfter(state, after)].map(({ sequence }) => sequence) };
}

describe('the outbox', () => {
  it('gives every row behind a number, in order, each with what it said, wherever its packs begin', async () => {
    const { state, numbers } = await full();

    expect(numbers(0)).toEqual(Array.from({ length: 250 }, (_, i) => i + 1));
    expect(numbers(77)[0]).toBe(78);
    expect(numbers(250)).toEqual([]);
    for (const { sequence, row: given } of outboxAfter(state, 0)) expect(given).toEqual(row(sequence));
  });

  it('keeps a row for as long as one of its pack may be needed', async () => {
    const { state, numbers } = await full();

    await state.commit(removals(state, 29));
    expect(numbers(0)[0]).toBe(1);
    await state.commit(removals(state, 131));
    expect(numbers(131)[0]).toBe(132);
    await state.commit(removals(state, 250));
    expect([...state.rows('outbox')]).toEqual([]);
  });

  it('needs few rows of the state for many of its own', async () => {
    const { state } = await full();

    expect([...state.rows('outbox')].length).toBeLessThan(6);
  });
});
