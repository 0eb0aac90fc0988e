import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../cli/config.ts';
import { imageEnvironment, instructions, ROOT, textOf } from './compose.ts';

/** What is copied from the repository, as it is named there. */
const sources = instructions('COPY')
  .filter((line) => !line.startsWith('--from='))
  .flatMap((line) => line.split(/\s+/).slice(0, -1));

describe('the Dockerfile', () => {
  it.each(sources)('copies %s, which exists and is not kept out by .dockerignore', (source) => {
    expect(existsSync(join(ROOT, source))).toBe(true);
    expect(textOf('.dockerignore').split('\n')).toContain(`!${source}`);
  });

  it('lets nothing in that it does not copy', () => {
    const let_in = textOf('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(let_in.toSorted()).toEqual([...new Set(sources)].toSorted());
  });

  it('copies every folder of the product', () => {
    const { include } = JSON.parse(textOf('tsconfig.json')) as { include: string[] };
    expect(sources).toEqual(expect.arrayContaining(include.filter((folder) => folder !== 'scripts' && folder !== 'test')));
  });

  it('pins its base image, the same for both stages', () => {
    const [build, run, ...others] = instructions('FROM').map((line) => line.split(' ')[0]!);
    expect(build).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim$/);
    expect([run, others]).toEqual([build, []]);
  });

  it('runs as a user of its own, by settings that exist', () => {
    expect(instructions('USER')).toEqual(['node']);
    const { NODE_ENV: _, ...ours } = imageEnvironment;
    const settings = readSettings(ours);
    expect([settings.dataDir, settings.mqtt.host, settings.http.host]).toEqual(['/data', '127.0.0.1', '0.0.0.0']);
    expect(instructions('VOLUME')).toEqual([settings.dataDir]);
  });
});
