import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli } from './harness.ts';

const T = 1_772_416_800_000;

async function rulesFile(text: string): Promise<string> {
  const path = join(await tempDir(), 'rules.json');
  await writeFile(path, text);
  return path;
}

/** A merchant with 5 of 10 slots used: nothing by the default rules. */
const HALF_FULL = [
  { at: T, registry: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', terminal_limit: 10 } } },
  ...[1, 2, 3, 4, 5].map((n) => ({
    at: T,
    registry: { table: 'terminals', row: { acquirer: 'acme', merchant: 'm-1', sn: `SN0${n}`, lifecycle: 'active' } },
  })),
]
  .map((line) => JSON.stringify(line))
  .join('\n');

describe('a file of rules', () => {
  it('is what a replay begins with', async () => {
    const rules = await rulesFile('{"quota.terminals":{"approachingPercent":50}}');

    expect((await cli(['alerts', 'replay', '-'], { stdin: HALF_FULL })).out).toEqual([]);
    const { out } = await cli(['alerts', 'replay', '-', '--rules', rules], { stdin: HALF_FULL });
    expect(out).toEqual([expect.stringContaining('quota.terminals approaching')]);
  });

  it('is named with everything that is wrong with it, before anything starts', async () => {
    const wrong = await rulesFile('{"quota.terminal":{},"terminal.offline":{"offlineIntervals":"two"}}');
    const torn = await rulesFile('{"quota');

    const problems = await cli(['start'], { env: { TILLWATCH_RULES: wrong } });
    expect(problems.code).toBe(1);
    expect(problems.said.join('\n')).toMatch(/quota\.terminal: no such watch[\s\S]*terminal\.offline\.offlineIntervals: not a number/);
    expect(await cli(['start'], { env: { TILLWATCH_RULES: torn } })).toMatchObject({
      code: 1,
      said: [expect.stringContaining('is not JSON')],
    });
    expect(await cli(['start'], { env: { TILLWATCH_RULES: '/nonexistent' } })).toMatchObject({ code: 1 });
  });

  it('is in force while it is set, and the defaults are again when it no longer is', async () => {
    const installation = await Installation.create();
    const terminals = [1, 2, 3, 4, 5].map((n) => `acme,m-1,SN0${n}`).join('\n');
    const files = [
      { name: 'merchants.csv', text: 'acquirer,merchant,terminal_limit,tz\nacme,m-1,10,UTC\n' },
      { name: 'terminals.csv', text: `acquirer,merchant,sn\n${terminals}\n` },
    ];
    const quotas = async () => (await installation.alerts()).filter(({ type }) => type === 'quota.terminals');
    const first = installation.start('start', { TILLWATCH_RULES: await rulesFile('{"quota.terminals":{"approachingPercent":50}}') });
    await first.ready();
    await installation.api('/v1/imports', { files });
    await eventually(async () => expect(await quotas()).toMatchObject([{ state: 'firing' }]));
    await first.end('SIGTERM');

    await installation.start('start').ready();

    await eventually(async () => expect(await quotas()).toMatchObject([{ state: 'resolved' }]));
  });
});
