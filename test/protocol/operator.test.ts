import { describe, expect, it } from 'vitest';
import { readWindowAction } from '../../protocol/operator.ts';
import { entryFromLine } from '../../protocol/replay.ts';
import { subjectOf } from '../../watch/alerts/lifecycle.ts';

const silence = (more: object = {}) => ({ op: 'silence', match: { merchant: 'm-1' }, ...more });

describe('an operator’s entry', () => {
  it.each([
    silence(),
    silence({ id: 's-1', from: 1, until: 2, by: 'noc-1', text: 'a fair' }),
    silence({ id: null, from: null, until: null }),
    {
      op: 'maintenance',
      match: { type: 'outage', acquirer: 'acme', site: 's-1', operator: '460-00', cell: '460-00-9cba-76c6c', app: '1' },
    },
    silence({ match: {} }),
    silence({ match: subjectOf({ acquirer: 'acme', terminal: 'SN000001' }) }),
    { op: 'end', id: 's-1' },
  ])('that can be read is: %j', (body) => {
    expect(readWindowAction(body)).toMatchObject({ ok: true });
  });

  it.each([
    [silence({ match: { merchnat: 'm-1' } }), 'match'],
    [silence({ match: { merchant: '' } }), 'match.merchant'],
    [silence({ match: { type: 'offline' } }), 'match.type'],
    [{ op: 'silence' }, 'match'],
    [silence({ until: 'tomorrow' }), 'until'],
    [silence({ from: 2, until: 2 }), 'until: not after from'],
    [{ op: 'end' }, 'id'],
  ])('that cannot be read says why: %j', (body, named) => {
    const read = readWindowAction(body);

    expect(read?.ok === false && read.problems.join()).toContain(named);
    expect(entryFromLine(JSON.stringify({ at: 1, operator: body }))).toMatchObject({ ok: false, problem: expect.stringContaining(named) });
  });

  it.each(['ack', 'assign', 'comment', 'close', 'whatever'])('that asks for something else is none of these: %s', (op) => {
    expect(readWindowAction({ op, alert: 'a-1' })).toBeNull();
    expect(entryFromLine(JSON.stringify({ at: 1, operator: { op } }))).toMatchObject({ ok: true });
  });
});
