import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unreadable } from '../../cli/io.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli, cliProcess, shell } from './harness.ts';

const T = 1_763_798_400_000;
const MINUTE_MS = 60_000;

/** A merchant that fills its limit, a terminal that falls silent and one that is heard again. */
function story(): string {
  const row = (table: string, content: object) => ({ at: T, registry: { table, row: { acquirer: 'acme', merchant: 'm-1', ...content } } });
  const topic = (sn: string, channel: string) => `pos/v1/acme/${sn}/${channel}`;
  const lines: object[] = [row('merchants', { terminal_limit: '3' })];
  for (const n of [1, 2, 3]) lines.push(row('terminals', { sn: `SN00000${n}` }));
  for (const n of [1, 2])
    lines.push({ at: T, topic: topic(`SN00000${n}`, 'birth'), payload: { v: 1, session: 's', at: T, interval: 60, keepalive: 5 } });
  for (let i = 1; i <= 5; i++) {
    const at = T + i * MINUTE_MS;
    lines.push({ at, topic: topic('SN000002', 'report'), payload: { v: 1, session: 's', seq: i, samples: [{ at }] } });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

describe('alerts replay', () => {
  it('prints the transitions as JSON lines in order of time, each at its own time', async () => {
    const { code, out, said } = await cli(['alerts', 'replay', '-', '--json'], { stdin: story() });

    const transitions = out.map(
      (line) => JSON.parse(line) as { at: number; transition: string; alert: { type: string; subject: { terminal: string } } },
    );
    expect([code, said]).toEqual([0, []]);
    expect(transitions.map(({ at, transition, alert }) => [at - T, transition, alert.type, alert.subject.terminal])).toEqual([
      [0, 'fired', 'quota.terminals', null],
      [2 * MINUTE_MS, 'fired', 'terminal.offline', 'SN000001'],
    ]);
    expect(Object.keys(transitions[0]!)).toEqual(['at', 'transition', 'alert']);
  });

  it('prints the same bytes twice, from a file and from standard input', async () => {
    const file = join(await tempDir(), 'log.jsonl');
    await writeFile(file, story());

    const first = await cliProcess(['alerts', 'replay', file, '--json']);
    const second = await cliProcess(['alerts', 'replay', '-', '--json'], {}, story());

    expect(first.out.length).toBe(2);
    expect(second).toEqual(first);
  });

  it('says in words what a program gets as JSON', async () => {
    const { out } = await cli(['alerts', 'replay', '-'], { stdin: story() });

    expect(out).toEqual([
      expect.stringMatching(/^2025-11-22T08:00:00.000Z {2}fired {5}critical {2}quota.terminals reached {2}acme \/ m-1$/),
      expect.stringMatching(/^2025-11-22T08:02:00.000Z {2}fired {5}warning {3}terminal.offline silent {2}acme \/ m-1 \/ SN000001$/),
    ]);
  });

  it('takes blank lines, CRLF, a missing end of line and an empty file', async () => {
    const crlf = story().trimEnd().replaceAll('\n', '\r\n\r\n');

    expect((await cli(['alerts', 'replay', '-', '--json'], { stdin: crlf })).out).toEqual(
      (await cli(['alerts', 'replay', '-', '--json'], { stdin: story() })).out,
    );
    expect(await cli(['alerts', 'replay', '-', '--json'])).toEqual({ code: 0, out: [], said: [] });
  });

  it.each([
    ['text', 'hello'],
    ['a list', '[]'],
    ['a number', '7'],
    ['an object of another kind', '{"at":1,"dream":true}'],
    ['no time', '{"tick":true}'],
    ['a time as text', '{"at":"now","tick":true}'],
    ['a foreign topic', '{"at":1,"topic":"home/door","payload":{}}'],
    ['a command topic', '{"at":1,"topic":"pos/v1/acme/SN000001/cmd","payload":{}}'],
    ['both payload and raw', '{"at":1,"topic":"pos/v1/acme/SN000001/report","payload":{},"raw":""}'],
    ['a bad row', '{"at":1,"registry":{"table":"terminals","row":{"acquirer":"acme"}}}'],
    ['an unknown table', '{"at":1,"registry":{"table":"shops","row":{}}}'],
    ['a platform part that is none', '{"at":1,"platform":{"part":"roof","state":"down"}}'],
  ])('ends with 1 and names the line where it holds %s', async (_, bad) => {
    const { code, said } = await cli(['alerts', 'replay', '-', '--json'], { stdin: `${story()}\n${bad}\n` });

    expect(code).toBe(1);
    expect(said).toEqual([expect.stringMatching(/^tillwatch: standard input, line 13: /)]);
  });

  it('takes a message that cannot be read for a sign of life', async () => {
    const alive = `${story()}${JSON.stringify({ at: T + 119_000, topic: 'pos/v1/acme/SN000001/report', raw: 'e30=' })}\n`;

    const { code, out } = await cli(['alerts', 'replay', '-', '--json'], { stdin: alive.split('\n').toSorted(byTime).join('\n') });

    expect(code).toBe(0);
    expect(out.map((line) => JSON.parse(line).at - T)).toEqual([0, 239_000]);
  });

  it('names what it was given and cannot read', async () => {
    const dir = await tempDir();
    const file = join(dir, 'log.jsonl');
    await writeFile(file, '');
    const said = async (path: string) => {
      const result = await cli(['alerts', 'replay', path]);
      expect([result.code, result.out]).toEqual([1, []]);
      return result.said;
    };

    expect(await said(dir)).toEqual([`tillwatch: ${dir} is a folder: name a file`]);
    expect(await said(join(dir, 'none'))).toEqual([`tillwatch: there is no file ${join(dir, 'none')}`]);
    expect(await said(join(file, 'x'))).toEqual([`tillwatch: ${join(file, 'x')} cannot be read (ENOTDIR)`]);
    expect(unreadable(file, { code: 'EACCES' }).message).toBe(`${file} may not be read: give this user the right to, or run as its owner`);
  });

  it('ends quietly when nobody reads on', async () => {
    const file = join(await tempDir(), 'log.jsonl');
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      at: T + i,
      registry: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', terminal_limit: i % 2 === 0 ? 3 : 30 } },
    }));
    await writeFile(
      file,
      story()
        .split('\n')
        .slice(1, 4)
        .concat(many.map((line) => JSON.stringify(line)))
        .join('\n'),
    );

    const { code, printed } = await shell(`tillwatch alerts replay '${file}' --json | head -1`);

    expect(code).toBe(0);
    expect(printed.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(printed)).toMatchObject({ transition: 'fired' });
  });
});

function byTime(a: string, b: string): number {
  const at = (line: string) => (line === '' ? Number.POSITIVE_INFINITY : (JSON.parse(line) as { at: number }).at);
  return at(a) - at(b);
}
