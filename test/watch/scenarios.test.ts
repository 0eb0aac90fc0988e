/** The shared scenarios of this version's kinds, folded in-process and held against their expectations by the scorer that comes with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { entryFromLine } from '../../protocol/replay.ts';
import { Watch } from '../../watch/fold/watch.ts';
import { hasScenarios, SCENARIOS } from './support/log.ts';

const KINDS = /^(coverage-|quota-(climb|edge|import|limit-cut|pending|small)|offline-|unstable|outage|place|platform|quiet)/;

interface Scorer {
  check(expected: unknown, output: string): { problems: string[] };
}

const dir = join(SCENARIOS, 'dev');
const files = hasScenarios ? readdirSync(dir) : [];
const names = files.filter((f) => f.endsWith('.expect.json') && KINDS.test(f)).map((f) => f.slice(0, -'.expect.json'.length));

function linesOf(name: string): string[] {
  const plain = `${name}.jsonl`;
  const bytes = readFileSync(join(dir, files.includes(plain) ? plain : `${plain}.gz`));
  return (files.includes(plain) ? bytes : gunzipSync(bytes)).toString('utf8').trimEnd().split('\n');
}

/** The output of `alerts replay`: a transition a line. */
function replayed(lines: readonly string[]): string {
  const watch = new Watch();
  const transitions = lines.flatMap((line) => {
    const result = entryFromLine(line);
    if (!result.ok) throw new Error(`${result.problem}: ${line}`);
    return watch.step(result.entry).transitions;
  });
  return [...transitions, ...watch.finish().transitions].map((t) => `${JSON.stringify(t)}\n`).join('');
}

describe.skipIf(!hasScenarios)('the scenarios of ../shared', () => {
  it('are there', () => {
    expect(names.length).toBeGreaterThanOrEqual(20);
  });

  it.each(names)('%s makes the alerts that it asks for, and no others', async (name) => {
    const { check } = (await import(pathToFileURL(join(SCENARIOS, 'score.mjs')).href)) as Scorer;
    const expected = JSON.parse(readFileSync(join(dir, `${name}.expect.json`), 'utf8'));

    const output = replayed(linesOf(name));

    expect(check(expected, output).problems).toEqual([]);
  });

  it('would fail without their alerts', async () => {
    const { check } = (await import(pathToFileURL(join(SCENARIOS, 'score.mjs')).href)) as Scorer;
    const expected = JSON.parse(readFileSync(join(dir, 'quota-edge.expect.json'), 'utf8'));

    expect(check(expected, '').problems).not.toEqual([]);
  });
});
