/** What a power loss may leave of a write that was not synced, against what a bad disk does to one that was. */
import { cp, readFile, truncate, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DurableFile } from '../../../backbone/segments/durable.ts';
import { listSegments } from '../../../backbone/segments/files.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { type Step, walkLog } from '../../../backbone/segments/walk.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { type Frame, framesIn, texts } from './frames.ts';

const OPTIONS = { segmentBytes: 8 * 1024 };
const SECTOR = 512;
const RUNS = Number(process.env.TILLWATCH_ROUNDS ?? 3) * 40;
const PADDED = 8;

/** A log of batches of these sizes; the text of each begins with its number. */
async function logOf(sizes: readonly number[]): Promise<{ dir: string; content: string[] }> {
  const dir = await tempDir();
  const writer = await openSegmentWriter(dir, OPTIONS);
  const content = sizes.map((size, i) => `${i + 1}:`.padEnd(size, String.fromCharCode(97 + (i % 26))));
  for (const text of content) await writer.append([Buffer.from(text)]);
  await writer.close();
  return { dir, content };
}

interface Place extends Frame {
  path: string;
}

async function placesIn(dir: string): Promise<Place[]> {
  const segments = await listSegments(dir);
  return segments.flatMap(({ path }) => framesIn(path).frames.map((frame) => ({ ...frame, path })));
}

function sayDurable(dir: string, batch: number): void {
  const durable = new DurableFile(dir);
  durable.create();
  durable.publish(batch, Buffer.alloc(8, 1));
  durable.close();
}

async function walked(dir: string): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const step of walkLog(dir)) steps.push(step);
  return steps;
}

const ofKind = <K extends Step['kind']>(steps: readonly Step[], kind: K) =>
  steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
const textsIn = (steps: readonly Step[]) => texts(ofKind(steps, 'batch'));

/** All that a reader gets, and the error at which it ends; it goes on behind what it was told is damaged. */
async function readThrough(dir: string, last: number): Promise<{ got: string[]; errors: string[] }> {
  const reader = await openSegmentReader(dir);
  const [got, errors]: [string[], string[]] = [[], []];
  for (let next = 1; next <= last; ) {
    try {
      const batches = await reader.read(next, 4_096);
      if (batches.length === 0) break;
      got.push(...texts(batches));
      next = batches.at(-1)!.batch + 1;
    } catch (error) {
      errors.push((error as { code: string }).code);
      next++;
    }
  }
  await reader.close();
  return { got, errors };
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 3, max: 60 }), fc.integer({ min: 60, max: 3_000 })), { minLength: 2, maxLength: 9 });

/** What became of each sector of the last write: written, still as it was, or garbage. */
type Sector = 'new' | 'old' | { garbage: number };
const sector: fc.Arbitrary<Sector> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('new' as const) },
  { weight: 3, arbitrary: fc.constant('old' as const) },
  { weight: 1, arbitrary: fc.record({ garbage: fc.integer({ min: 0, max: 255 }) }) },
);

function afterPowerLoss(bytes: Buffer, { offset, size }: Place, sectors: readonly Sector[]): Buffer {
  const left = Buffer.from(bytes);
  for (let at = offset, i = 0; at < offset + size; i++) {
    const end = Math.min(offset + size, (Math.floor(at / SECTOR) + 1) * SECTOR);
    const fate = sectors[i % sectors.length]!;
    if (fate !== 'new') left.fill(fate === 'old' ? 0 : fate.garbage, at, end);
    at = end;
  }
  return left;
}

describe('after a power loss amid a write', () => {
  test('whatever is left of it, nothing that was synced is missing, the rest is cut and said, and the log goes on', async () => {
    const counted = { whole: 0, cut: 0, blank: 0 };
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.array(sector, { minLength: 1, maxLength: 8 }),
        fc.option(fc.nat(100), { nil: undefined }),
        fc.nat(3),
        async (batchSizes, sectors, cutPercent, behind) => {
          const { dir, content } = await logOf(batchSizes);
          const last = (await placesIn(dir)).at(-1)!;
          const synced = content.slice(0, -1);
          await writeFile(last.path, afterPowerLoss(await readFile(last.path), last, sectors));
          if (cutPercent !== undefined) await truncate(last.path, last.offset + Math.floor((last.size * cutPercent) / 100));
          // The file that says how far the log is durable is not synced: it may say less.
          sayDurable(dir, Math.max(0, synced.length - behind));
          const before = await walked(dir);

          const writer = await openSegmentWriter(dir, OPTIONS);
          const { batch } = await writer.append([Buffer.from('after')]);
          await writer.close();

          const found = textsIn(before);
          expect([synced, content]).toContainEqual(found);
          expect(ofKind(before, 'damage')).toEqual([]);
          const [torn] = ofKind(before, 'torn');
          const { cut, lostBatches } = writer.recovery;
          expect([cut, lostBatches]).toEqual([torn ? { path: last.path, offset: last.offset, bytes: torn.bytes } : null, 0]);
          expect(batch).toBe(found.length + 1);
          const after = await walked(dir);
          expect([textsIn(after), after.filter(({ kind }) => kind === 'torn' || kind === 'damage')]).toEqual([[...found, 'after'], []]);
          expect(await readThrough(dir, batch)).toEqual({ got: [...found, 'after'], errors: [] });
          counted[cut ? 'cut' : found.length === content.length ? 'whole' : 'blank']++;
        },
      ),
      { seed: 5, numRuns: RUNS },
    );
    for (const times of Object.values(counted)) expect(times).toBeGreaterThan(2);
  }, 60_000);
});

describe('a bit that turned over in what was synced', () => {
  test('is named with its file and place, never passed over in silence, and nothing wrong is ever read', async () => {
    const counted = { refused: 0, lost: 0, older: 0, harmless: 0 };
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (batchSizes, place, bit) => {
        const { dir, content } = await logOf(batchSizes);
        const places = await placesIn(dir);
        const hit = places[place % places.length]!;
        const bytes = await readFile(hit.path);
        const length = bytes.readUInt32LE(hit.offset + 12);
        const at = hit.offset + (Math.floor(bit / 8) % hit.size);
        bytes[at]! ^= 1 << (bit % 8);
        await writeFile(hit.path, bytes);
        const harmless = at >= hit.offset + length;
        expect(hit.size - length).toBeLessThan(PADDED);
        const copy = await tempDir();
        await cp(dir, copy, { recursive: true });

        const damage = ofKind(await walked(dir), 'damage');
        const { got, errors } = await readThrough(dir, content.length);
        const opening = await openSegmentWriter(copy, OPTIONS).catch((error) => error);
        if (!(opening instanceof Error)) await opening.close();

        const rest = content.filter((_, i) => i !== hit.batch - 1);
        if (harmless) {
          expect([damage, got, errors]).toEqual([[], content, []]);
          counted.harmless++;
          return;
        }
        expect(damage).toEqual([
          { kind: 'damage', path: hit.path, offset: hit.offset, what: expect.stringContaining(`batch ${hit.batch} is`) },
        ]);
        expect(textsIn(await walked(dir))).toEqual(rest);
        expect(errors.length).toBeGreaterThan(0);
        expect(new Set(errors)).toEqual(new Set(['corrupt']));
        expect(rest.filter((text) => got.includes(text))).toEqual(got);
        if (opening instanceof Error) {
          expect(opening).toMatchObject({ code: 'corrupt', message: expect.stringContaining(`at offset ${hit.offset}`) });
          counted.refused++;
        } else if (hit.batch === content.length) {
          expect(opening.recovery).toMatchObject({ lostBatches: 1 });
          counted.lost++;
        } else counted.older++;
      }),
      { seed: 6, numRuns: RUNS },
    );
    for (const times of Object.values(counted)) expect(times).toBeGreaterThan(0);
  }, 60_000);

  test.each([8, 12, 16, 30, 45, 63])('in the head of a file (byte %i) names the file, and the others are read', async (at) => {
    const { dir } = await logOf([3_000, 3_000, 3_000, 3_000, 3_000]);
    const [first] = await listSegments(dir);
    const bytes = await readFile(first!.path);
    bytes[at]! ^= 4;
    await writeFile(first!.path, bytes);

    const steps = await walked(dir);

    expect(ofKind(steps, 'damage')).toEqual([{ kind: 'damage', path: first!.path, offset: 0, what: expect.stringContaining('head') }]);
    expect(ofKind(steps, 'batch').map(({ batch }) => batch)).toEqual([3, 4, 5]);
  });
});
