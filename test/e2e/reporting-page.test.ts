import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { shell } from '../cli/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { tempDir } from '../helpers/tempdir.ts';

/** The commands of a page under a heading, as somebody copies them who works in another folder and whose broker listens elsewhere. */
async function commandsOf(page: string, heading: string, port: number): Promise<string> {
  const [, section = ''] = (await readFile(page, 'utf8')).split(`\n${heading}\n`);
  const block = /\n\n((?: {4}.*\n)+)/.exec(section)![1]!;
  return block.replace(/^ {4}/gm, '').replaceAll('npx tillwatch', 'tillwatch').replaceAll(':1883', `:${port}`);
}

it("the agent's example can be typed as it is printed: a trace is made and sent, and its end is the last that is known", async () => {
  const installation = await Installation.create();
  await installation.start('start').ready();
  const typedAt = Date.now();

  const commands = await commandsOf('docs/reporting.md', '## The agent', installation.mqttPort()!);
  const { code, printed } = await shell(`cd ${await tempDir()}\n${commands}`, { TILLWATCH_DATA_DIR: installation.paths.root });

  expect([code, printed]).toEqual([0, expect.stringMatching(/\n1 message acknowledged\n$/)]);
  await eventually(async () => {
    const { last } = await installation.api<{ last: { at: number; signal: object } | null }>('/v1/terminals/SN000001');
    expect(last?.signal).toEqual({ rat: 'lte', rsrp: -112, rsrq: -16, sinr: 1 });
    expect(last!.at).toBeGreaterThan(typedAt);
  });
});
