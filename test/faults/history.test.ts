import { describe, expect, it } from 'vitest';
import { type AskedMove, checkHistory, type History, logKey, type Move, type SentReport, type Told } from './history.ts';

const USER = 'acme/SN0001';

function report(seq: number, at: number, durableAtPuback: number | null = seq + 1): SentReport {
  return { user: USER, session: 's-1', seq, at, rsrp: -80, durableAtPuback };
}

/** Three reports, of which the last never got its PUBACK; the terminal moved from m-1 to m-2 at 2000; one alert came and went. */
function goodHistory(): History {
  const sent = [report(0, 1_000), report(1, 3_000), report(2, 4_000, null)];
  const life: Told[] = [
    { id: 'a', transition: 'fired', at: 1_500 },
    { id: 'a', transition: 'updated', at: 2_000 },
    { id: 'a', transition: 'resolved', at: 2_500 },
  ];
  return {
    sent,
    logged: new Map(sent.slice(0, 2).map((one) => [logKey(one), one.seq + 1])),
    stored: [
      { user: USER, at: 1_000, seq: 0, rsrp: -80, merchant: 'm-1' },
      { user: USER, at: 3_000, seq: 1, rsrp: -80, merchant: 'm-2' },
    ],
    moves: [
      { user: USER, merchant: 'm-1', at: 500 },
      { user: USER, merchant: 'm-2', at: 2_000 },
    ],
    asked: [
      { user: USER, merchant: 'm-1', from: 400, until: 600 },
      { user: USER, merchant: 'm-2', from: 2_000, until: 2_100 },
    ],
    announced: life,
    folded: life,
    listed: ['a'],
  };
}

function problemsOf(planted: Partial<History>): string[] {
  return checkHistory({ ...goodHistory(), ...planted }).map(({ kind, what }) => `${kind}: ${what}`);
}

describe('the history checker', () => {
  const { sent, stored, announced, folded, moves, asked } = goodHistory();
  const [fired, updated, resolved] = announced as [Told, Told, Told];
  const [first, second] = stored;

  it('finds nothing in a history in which all is well, nor where an unacknowledged report arrived all the same', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ stored: [...stored, { ...second!, at: 4_000, seq: 2 }] })).toEqual([]);
  });

  it('catches a loss', () => {
    expect(problemsOf({ stored: [first!] })).toEqual([`missing: ${USER} 3000, seq 1`]);
  });

  it('catches a duplicate, of an unacknowledged report too', () => {
    const third = { ...second!, at: 4_000, seq: 2 };

    expect(problemsOf({ stored: [...stored, first!] })).toEqual([`doubled: ${USER} 1000: 2 times`]);
    expect(problemsOf({ stored: [...stored, third, third] })).toEqual([`doubled: ${USER} 4000: 2 times`]);
  });

  it('catches a duplicate under two merchants as a duplicate and a wrong tag', () => {
    expect(problemsOf({ stored: [...stored, { ...first!, merchant: 'm-2' }] })).toEqual([
      `doubled: ${USER} 1000: 2 times`,
      `wrong_tag: ${USER} 1000: under m-2, not m-1`,
    ]);
  });

  it('catches what nobody sent, and what was changed on the way', () => {
    expect(problemsOf({ stored: [...stored, { ...first!, at: 7 }] })).toEqual([`never_sent: ${USER} 7`]);
    expect(problemsOf({ stored: [{ ...first!, rsrp: -81 }, second!] })).toEqual([`changed: ${USER} 1000: seq 0, rsrp -81`]);
    expect(problemsOf({ stored: [first!, { ...second!, seq: 9 }] })).toEqual([`changed: ${USER} 3000: seq 9, rsrp -80`]);
  });

  it('catches a point under the merchant of another time', () => {
    expect(problemsOf({ stored: [first!, { ...second!, merchant: 'm-1' }] })).toEqual([`wrong_tag: ${USER} 3000: under m-1, not m-2`]);
  });

  it('catches a PUBACK before the commit, and one for a report that never came into the log', () => {
    const early = sent.map((one) => ({ ...one, durableAtPuback: one.seq === 1 ? 1 : one.durableAtPuback }));

    expect(problemsOf({ sent: early })).toEqual([`early_puback: ${USER} s-1 1: at 1, stands in 2`]);
    expect(problemsOf({ logged: new Map([[logKey(sent[0]!), 1]]) })).toEqual([`early_puback: ${USER} s-1 1: at 2, stands in Infinity`]);
  });

  it.each<[string, readonly Move[], readonly AskedMove[]]>([
    ['stamped long before it was asked for', [moves[0]!, { ...moves[1]!, at: 999 }], asked],
    ['stamped after it was confirmed', [moves[0]!, { ...moves[1]!, at: 2_101 }], asked],
    ['lost', [moves[0]!], asked],
    ['that nobody asked for', moves, [asked[0]!]],
  ])('catches a move that was %s', (_, made, wanted) => {
    expect(checkHistory({ ...goodHistory(), stored: [], sent: [], moves: made, asked: wanted }).map(({ kind }) => kind)).toEqual([
      'wrong_time',
    ]);
  });

  it('takes a move that was asked for twice, because its answer was lost, for one', () => {
    expect(problemsOf({ moves: [...moves, { ...moves[1]!, at: 2_050 }] })).toEqual([]);
  });

  it('catches a lost transition', () => {
    expect(problemsOf({ announced: [fired, resolved] })).toEqual(['alert_lost: a updated 2000']);
    expect(problemsOf({ announced: [], listed: [] })).toEqual([
      'alert_lost: a fired 1500',
      'alert_lost: a updated 2000',
      'alert_lost: a resolved 2500',
    ]);
    expect(problemsOf({ listed: [] })).toEqual(['alert_lost: a: not listed']);
  });

  it('catches a transition that was announced twice, and an alert that is listed twice', () => {
    expect(problemsOf({ announced: [fired, updated, resolved, resolved] })).toEqual([
      'alert_twice: a resolved 2500: 2 times, and due 1',
      'alert_life: a: fired, updated, resolved, resolved',
    ]);
    expect(problemsOf({ listed: ['a', 'a'] })).toEqual(['alert_twice: a: listed 2 times']);
  });

  it('takes an alert that changes twice in a millisecond as that, and catches where one of the two was lost, or told again', () => {
    const twice = { folded: [fired, updated, updated, resolved], announced: [fired, updated, updated, resolved] };

    expect(problemsOf(twice)).toEqual([]);
    expect(problemsOf({ ...twice, announced })).toEqual(['alert_lost: a updated 2000: 1 times of 2']);
    expect(problemsOf({ ...twice, announced: [fired, updated, updated, updated, resolved] })).toEqual([
      'alert_twice: a updated 2000: 3 times, and due 2',
    ]);
  });

  it('catches an alert that the logs give no ground for', () => {
    expect(problemsOf({ announced: [...announced, { id: 'b', transition: 'fired', at: 1 }], listed: ['a', 'b'] })).toEqual([
      'alert_unfounded: b fired 1',
    ]);
    expect(problemsOf({ listed: ['a', 'b'] })).toEqual(['alert_unfounded: b: listed, and never announced']);
  });

  it('catches an alert that fires again under its old id, or goes on after its end', () => {
    const again = { ...fired, at: 2_600 };

    expect(problemsOf({ announced: [...announced, again], folded: [...folded, again] })).toEqual([
      'alert_life: a: fired, updated, resolved, fired',
    ]);
    expect(problemsOf({ announced: [fired, resolved, updated] })).toEqual(['alert_life: a: fired, resolved, updated']);
  });
});
