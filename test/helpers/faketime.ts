import { spawnSync } from 'node:child_process';
import { serverPath } from './servers.ts';

/**
 * The environment under which a process lives `seconds` ahead: its wall clock alone, not its monotonic one nor the times of files.
 * Errors: throws where this machine has no faketime; test with `lacks('faketime')` before.
 */
export function aheadBy(seconds: number): Record<string, string> {
  const program = serverPath('faketime');
  const { stdout } = spawnSync(program ?? 'faketime', ['-f', '+0s', 'env'], { encoding: 'utf8' });
  const library = /^LD_PRELOAD=(\S+)$/m.exec(stdout ?? '')?.[1];
  if (library === undefined) throw new Error('there is no faketime on this machine: see what "npm run servers" says');
  return { LD_PRELOAD: library, FAKETIME: `+${seconds}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
}
