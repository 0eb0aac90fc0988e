import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bytes } from '../../../collector/store/bytes.ts';

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 2 ** 31, -(2 ** 31), 1e21),
);
const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), number);

it('holds what its pieces are as text, in UTF-8, however often it has to grow', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
      const bytes = new Bytes(8);

      for (const one of pieces) {
        if (typeof one === 'number') bytes.number(one);
        else bytes.text(one);
        bytes.code(0x20);
      }

      const wanted = Buffer.from(pieces.map((one) => `${one} `).join(''));
      expect(bytes.slice(0, bytes.length).equals(wanted)).toBe(true);
    }),
    { seed: 20, numRuns: 2_000 },
  );
});
