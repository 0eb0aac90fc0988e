import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverPath } from './servers.ts';
import { tempDir } from './tempdir.ts';

type Env = Record<string, string>;

/**
 * The environment under which a process lives `seconds` ahead: its wall clock alone, not its monotonic one nor the times of files.
 * Errors: throws where this machine has no faketime; test with `lacks('faketime')` before.
 */
export function aheadBy(seconds: number): Env {
  return { ...fakedWallClock(), FAKETIME: `+${seconds}s` };
}

export interface MovableClock {
  /** For processes whose wall clock it is, and nothing else of them. */
  env: Env;
  /** From now on it is so many seconds ahead of the real one, or behind; they see it within two seconds. */
  move(seconds: number): void;
}

/** Errors: those of `aheadBy`. */
export async function movableClock(): Promise<MovableClock> {
  const path = join(await tempDir(), 'clock');
  const move = (seconds: number) => {
    writeFileSync(`${path}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(`${path}.new`, path);
  };
  move(0);
  return { env: { ...fakedWallClock(), FAKETIME_TIMESTAMP_FILE: path, FAKETIME_CACHE_DURATION: '1' }, move };
}

function fakedWallClock(): Env {
  const program = serverPath('faketime');
  const { stdout } = spawnSync(program ?? 'faketime', ['-f', '+0s', 'env'], { encoding: 'utf8' });
  const library = /^LD_PRELOAD=(\S+)$/m.exec(stdout ?? '')?.[1];
  if (library === undefined) throw new Error('there is no faketime on this machine: see what "npm run servers" says');
  return { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
}
