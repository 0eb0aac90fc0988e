import createMemory from 'aedes-persistence';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPersistence, type Persistence } from '../../broker/persistence.ts';

const level = fc.constantFrom('pos', 'v1', '', '$SYS', 'constructor', '__proto__');
const topic = fc.array(level, { minLength: 1, maxLength: 3 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'));

const topicsOf = async (store: Persistence, filters: string[]) => {
  const topics: string[] = [];
  for await (const kept of store.createRetainedStreamCombi(filters)) topics.push(kept.topic);
  return topics.toSorted();
};

describe('retained messages', () => {
  it("are found as by Aedes' own store", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(topic, fc.boolean()), { maxLength: 12 }),
        fc.array(filter, { maxLength: 3 }),
        async (sent, filters) => {
          const [ours, theirs] = [createPersistence(1), (createMemory as unknown as () => Persistence)()];
          for (const [name, isKept] of sent) {
            const packet = () => ({ topic: name, payload: Buffer.from(isKept ? 'kept' : '') });
            await Promise.all([ours.storeRetained(packet()), theirs.storeRetained(packet())]);
          }
          expect(await topicsOf(ours, filters)).toEqual(await topicsOf(theirs, filters));
        },
      ),
      { seed: 31, numRuns: 500 },
    );
  });

  it('and Wills hold their own bytes alone, and nothing of what was read with them', async () => {
    const store = createPersistence(1);
    await store.setup({ id: 'node-1' });
    const read = Buffer.alloc(64 * 1024, 'x');
    const [retained, will] = [
      { topic: 'a', payload: read.subarray(0, 4) },
      { topic: 'a', payload: read.subarray(4, 8) },
    ];

    await store.storeRetained(retained);
    await store.putWill({ id: 'a' }, will);

    const [kept] = await store.createRetainedStreamCombi(['a']).toArray();
    for (const { payload } of [kept, will]) expect([payload.toString(), payload.buffer.byteLength]).toEqual(['xxxx', 4]);
  });
});
