import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { Process } from '../helpers/installation.ts';
import { sideBySide } from '../helpers/side-by-side.ts';

const TEST_MS = 90_000;

/** The folder that a demo says it keeps its data in. */
function folderOf(demo: Process): string {
  return dirname(dirname(/^ +admin token.*: (\S+)$/m.exec(demo.said)![1]!));
}

test.concurrent(
  'the demo tells its story, and every webhook of it is verified',
  { timeout: TEST_MS },
  sideBySide(async () => {
    const demo = new Process('demo', ['--terminals', '60'], {});

    expect(await demo.exit(), demo.said).toBe(0);

    expect(demo.said).toMatch(/All 60 report\./);
    expect(demo.said).toMatch(/told, and verifies it: #\d+ fired warning quota\.terminals approaching acme/);
    expect(demo.said).toMatch(/told, and verifies it: #\d+ updated critical quota\.terminals reached acme/);
    expect(demo.said).toMatch(/told, and verifies it: #\d+ resolved warning quota\.terminals/);
    expect(demo.said).toMatch(/told, and verifies it: #\d+ fired warning terminal\.offline lost acme/);
    expect(demo.said).toMatch(/told, and verifies it: #\d+ resolved critical terminal\.offline lost acme/);
    expect(demo.said).toMatch(/reports were acknowledged\. \d+ webhooks came, every signature verified, no number missing\./);
    expect(demo.said).not.toContain('whsec_');
    expect(existsSync(folderOf(demo))).toBe(false);
  }),
);

test.concurrent.for([
  ['while a shop fills up', /terminals that acme lets it have/, 'SIGINT'],
  ['while it waits for a webhook', /loses its connection/, 'SIGINT'],
  ['by the closing of its window', /loses its connection/, 'SIGHUP'],
] as const)(
  'the demo that is stopped %s stops everything at once, and leaves nothing behind',
  { timeout: TEST_MS },
  sideBySide(async ([, line, signal]) => {
    const demo = new Process('demo', ['--terminals', '60', '--stay'], {});
    await eventually(() => expect(demo.said).toMatch(line), { within: 60_000 });
    const toldBefore = demo.said.split('verifies it').length;

    expect(await demo.end(signal)).toBe(0);

    expect(demo.said.split('verifies it').length - toldBefore).toBeLessThanOrEqual(1);
    expect(existsSync(folderOf(demo))).toBe(false);
  }),
);

test.concurrent(
  'the demo refuses a fleet that is too small for its story',
  sideBySide(async () => {
    const demo = new Process('demo', ['--terminals', '5'], {});

    expect(await demo.exit()).toBe(2);
    expect(demo.said).toMatch(/--terminals.*whole number, 50 to 1000/);
  }),
);
