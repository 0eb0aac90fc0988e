import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkPayload } from '../../../protocol/codec/check.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe('checkPayload', () => {
  it('gives the message of its channel', () => {
    const body = { v: 1 as const, session: 's', state: 'lost' as const };
    expect(checkPayload('state', body)).toEqual({ ok: true, message: { channel: 'state', body } });
  });

  it('expands the columns of a report, and of no other channel', () => {
    const columnar = { v: 1, session: 's', seq: 1, at: [7], cols: { 'power.mains': [true] } };
    expect(checkPayload('report', columnar)).toMatchObject({
      ok: true,
      message: { body: { samples: [{ at: 7, power: { mains: true } }] } },
    });
    expect(checkPayload('event', columnar)).toMatchObject({ ok: false, reason: 'bad_schema' });
  });

  it('refuses what JSON cannot even say', () => {
    for (const value of [undefined, Number.NaN, () => 1, Symbol('x'), new Map()]) expect(checkPayload('report', value).ok).toBe(false);
  });

  it('reaches no Node API, so that the watch may import it', () => {
    const args = [
      'protocol/codec/check.ts',
      '--bundle',
      '--format=esm',
      '--platform=neutral',
      '--main-fields=module,main',
      '--log-level=error',
    ];
    const bundle = execFileSync('npx', ['--no-install', 'esbuild', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(bundle).toContain('expandColumns');
    expect(bundle).not.toMatch(/node:|TextDecoder|inflate/);
  }, 30_000);
});
