import { describe, expect, it } from 'vitest';
import { Tagger } from '../../../collector/feed/tagger.ts';
import { checkPayload } from '../../../protocol/codec/check.ts';
import type { Entry } from '../../../protocol/entries.ts';
import type { UpChannel } from '../../../protocol/topics.ts';

const T = 1_772_416_800_000;
const SECOND = 1_000;

function message(at: number, channel: UpChannel, payload: object): Entry {
  return { kind: 'message', at, node: 'a', acquirer: 'acme', sn: 'SN01', channel, decoded: checkPayload(channel, payload) };
}

const bound = (at: number, merchant: string): Entry => ({
  kind: 'registry',
  at,
  change: { table: 'terminals', row: { acquirer: 'acme', merchant, sn: 'SN01', lifecycle: 'active' } },
});
const birth = (said: number, received: number, app: string): Entry =>
  message(received, 'birth', { v: 1, session: `s-${said}`, at: said, app });

/** The tags of samples taken at these times, all received at the end. */
function tagsOf(entries: Entry[], ...at: number[]) {
  const tagger = new Tagger();
  for (const entry of entries) tagger.take(entry);
  const end = Math.max(...entries.map((entry) => entry.at), ...at) + SECOND;
  const samples = tagger.take(message(end, 'report', { v: 1, session: 'late', seq: 1, samples: at.map((a) => ({ at: a })) }));
  return samples.map(({ tags }) => `${tags.merchant} ${tags.app}`);
}

describe('the tags of a sample', () => {
  it('are those of a birth from the moment on that the terminal said it, not from when it was received', () => {
    expect(tagsOf([bound(T - 60 * SECOND, 'm-1'), birth(T, T + 40, '2.0')], T)).toEqual(['m-1 2.0']);
  });

  it('are those of the merchant before a move that was taken in between the saying of a birth and its receipt', () => {
    const entries = [
      bound(T - 60 * SECOND, 'm-1'),
      birth(T - 30 * SECOND, T - 30 * SECOND, '1.0'),
      bound(T + 500, 'm-2'),
      birth(T, T + SECOND, '1.0'),
    ];

    expect(tagsOf(entries, T + 100, T + 600)).toEqual(['m-1 1.0', 'm-2 1.0']);
  });

  it('follow moves and updates each by itself', () => {
    const entries = [bound(T, 'm-1'), birth(T, T, '1.0'), bound(T + 10 * SECOND, 'm-2'), birth(T + 20 * SECOND, T + 20 * SECOND, '2.0')];

    expect(tagsOf(entries, T + SECOND, T + 11 * SECOND, T + 21 * SECOND)).toEqual(['m-1 1.0', 'm-2 1.0', 'm-2 2.0']);
  });
});
