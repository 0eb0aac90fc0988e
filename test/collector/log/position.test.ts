import { describe, expect, it } from 'vitest';
import { decodeOwnerRecord, encodeOwnerRecord } from '../../../collector/log/entries.ts';
import { hasReached, isBefore, positionFromText, positionToText, START } from '../../../collector/log/position.ts';

const at = (text: string) => positionFromText(text);

describe('a position', () => {
  it('is the same after it was written and read', () => {
    expect(at('12.3/4.0')).toEqual({ brokers: { batch: 12, index: 3 }, owner: { batch: 4, index: 0 } });
    expect(positionToText(at('12.3/4.0'))).toBe('12.3/4.0');
    expect(positionToText(START)).toBe('1.0/1.0');
  });

  it.each(['', '1/1', '1.0', '1.0/x.0', ' 1.0/1.0', '-1.0/1.0'])('is not in %j', (text) => {
    expect(() => at(text)).toThrow('not a position in the logs');
  });

  it('orders by batch, then by index', () => {
    expect(isBefore({ batch: 1, index: 9 }, { batch: 2, index: 0 })).toBe(true);
    expect(isBefore({ batch: 2, index: 0 }, { batch: 2, index: 1 })).toBe(true);
    expect(isBefore({ batch: 2, index: 1 }, { batch: 2, index: 1 })).toBe(false);
  });

  it('is reached where both logs are that far', () => {
    expect(hasReached(at('2.1/3.0'), at('2.1/3.0'))).toBe(true);
    expect(hasReached(at('3.0/2.9'), at('2.1/3.0'))).toBe(false);
    expect(hasReached(at('2.0/4.0'), at('2.1/3.0'))).toBe(false);
  });
});

describe("a record of the owner's log", () => {
  it('keeps its entry and the offset that it comes before', () => {
    const record = { before: { batch: 7, index: 2 }, entry: { kind: 'tick', at: 5 } } as const;

    expect(decodeOwnerRecord(encodeOwnerRecord(record))).toEqual(record);
  });

  it('of a version to come is refused in words, not taken for something else', () => {
    expect(() => decodeOwnerRecord(Buffer.from('{"before":[1,0],"at":5,"dream":true}'))).toThrow(
      "the owner's log holds what this version cannot read",
    );
  });
});
