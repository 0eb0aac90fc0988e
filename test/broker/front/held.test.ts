import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Held } from '../../../broker/front/held.ts';

it('what is held is what came, in order, in room of twice its size at most', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1 }), ([first, ...others]) => {
      const held = new Held(first!);
      let all = Buffer.from(first!);
      for (const piece of others) {
        all = Buffer.concat([all, piece]);
        const bytes = held.with(piece);
        expect(bytes.equals(all)).toBe(true);
        expect(bytes.buffer.byteLength).toBeLessThanOrEqual(2 * all.length);
      }
    }),
    { seed: 22 },
  );
});
