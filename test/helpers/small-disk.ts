/** A file system of a few megabytes that a test can fill, where this machine lets us mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempDir } from './tempdir.ts';

export interface SmallDisk {
  path: string;
  /** Leaves no byte free, or about so many. */
  fill(but?: { except: number }): void;
  free(): void;
}

/** Whether tests of a full disk must be skipped, as it then says aloud. */
export function lacksMounts(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'tillwatch-mount-'));
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', dir], { stdio: 'pipe' });
    execFileSync('/bin/umount', [dir], { stdio: 'pipe' });
    return false;
  } catch {
    process.stderr.write('SKIPPED: tests of a full disk need the right to mount a tmpfs (root on Linux)\n');
    return true;
  } finally {
    rmdirSync(dir);
  }
}

export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await tempDir();
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${megabytes}M`, 'tmpfs', path]);
  onTestFinished(() => void execFileSync('/bin/umount', ['--lazy', path]));
  const filler = join(path, 'filler');
  return { path, fill: ({ except } = { except: 0 }) => fill(filler, except), free: () => rmSync(filler, { force: true }) };
}

function fill(path: string, except: number): void {
  const file = openSync(path, 'a');
  const isFilled = () => {
    const { bavail, bsize } = statfsSync(path);
    return except > 0 && bavail * bsize <= except;
  };
  try {
    for (const chunk = Buffer.alloc(64 * 1024); !isFilled(); ) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
