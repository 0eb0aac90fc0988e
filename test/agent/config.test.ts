import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentConfigFromEnv } from '../../agent/config.ts';
import { tempDir } from '../helpers/tempdir.ts';

const GOOD = {
  TILLWATCH_AGENT_URL: 'mqtts://broker.example',
  TILLWATCH_AGENT_ACQUIRER: 'acme',
  TILLWATCH_AGENT_SN: 'SN000001',
  TILLWATCH_AGENT_TOKEN: 'tw1.the-secret',
};

describe("the agent's settings", () => {
  test('need the broker, the terminal and its token, and have defaults for the rest', () => {
    expect(agentConfigFromEnv({ ...GOOD, TILLWATCH_AGENT_SITE: ' ', PATH: '/bin' })).toEqual({
      ok: true,
      value: {
        address: { tls: true, host: 'broker.example', port: 8883 },
        acquirer: 'acme',
        sn: 'SN000001',
        token: 'tw1.the-secret',
        outbox: './tillwatch-outbox',
        interval: 300,
        keepalive: 330,
        speed: 1,
      },
    });
  });

  test('can all be given', () => {
    const result = agentConfigFromEnv({
      ...GOOD,
      TILLWATCH_AGENT_OUTBOX: '/var/lib/agent',
      TILLWATCH_AGENT_INTERVAL: '60',
      TILLWATCH_AGENT_KEEPALIVE: '90',
      TILLWATCH_AGENT_MERCHANT: 'm-1',
      TILLWATCH_AGENT_SITE: 's-1',
      TILLWATCH_AGENT_TID: '10000001',
      TILLWATCH_AGENT_MODEL: 'A920',
      TILLWATCH_AGENT_TRACE: 'a.csv',
      TILLWATCH_AGENT_SPEED: '0',
      TILLWATCH_AGENT_TRACE_START: '2025-11-22T08:00:00Z',
    });

    expect(result).toMatchObject({
      ok: true,
      value: {
        outbox: '/var/lib/agent',
        interval: 60,
        keepalive: 90,
        merchant: 'm-1',
        site: 's-1',
        tid: '10000001',
        model: 'A920',
        trace: 'a.csv',
        speed: 0,
      },
    });
    expect(result.ok && result.value.traceStart).toBe(Date.UTC(2025, 10, 22, 8));
  });

  test('tell all their mistakes at once, each with its name', () => {
    const result = agentConfigFromEnv({
      TILLWATCH_AGENT_URL: 'http://broker',
      TILLWATCH_AGENT_ACQUIRER: 'ACME',
      TILLWATCH_AGENT_INTERVAL: '0',
      TILLWATCH_AGENT_KEEPALIVE: '4',
      TILLWATCH_AGENT_SPEED: 'fast',
      TILLWATCH_AGENT_TRACE_START: 'tomorrow',
      TILLWATCH_AGENT_MODEL: 'x'.repeat(129),
    });

    expect(result.ok ? [] : result.problems.map((p) => p.split(' ')[0])).toEqual([
      'TILLWATCH_AGENT_URL',
      'TILLWATCH_AGENT_ACQUIRER',
      'TILLWATCH_AGENT_SN',
      'TILLWATCH_AGENT_TOKEN',
      'TILLWATCH_AGENT_INTERVAL',
      'TILLWATCH_AGENT_KEEPALIVE',
      'TILLWATCH_AGENT_MODEL',
      'TILLWATCH_AGENT_SPEED',
      'TILLWATCH_AGENT_TRACE_START',
    ]);
  });

  test('take the token from a file', async () => {
    const file = join(await tempDir(), 'token');
    await writeFile(file, 'tw1.from-file\n');

    const result = agentConfigFromEnv({ ...GOOD, TILLWATCH_AGENT_TOKEN: '', TILLWATCH_AGENT_TOKEN_FILE: file });

    expect(result).toMatchObject({ ok: true, value: { token: 'tw1.from-file' } });
  });

  test.each([
    [
      'that is missing',
      { TILLWATCH_AGENT_TOKEN: '', TILLWATCH_AGENT_TOKEN_FILE: '/nowhere/token' },
      ['TILLWATCH_AGENT_TOKEN_FILE cannot be read (ENOENT)'],
    ],
    [
      'that is empty',
      { TILLWATCH_AGENT_TOKEN: '', TILLWATCH_AGENT_TOKEN_FILE: '/dev/null' },
      ['TILLWATCH_AGENT_TOKEN_FILE names an empty file'],
    ],
    [
      'beside a token',
      { TILLWATCH_AGENT_TOKEN_FILE: '/dev/null' },
      ['TILLWATCH_AGENT_TOKEN_FILE and TILLWATCH_AGENT_TOKEN are both set: choose one'],
    ],
  ])('refuse a token file %s, and show no secret', (_, env, problems) => {
    const result = agentConfigFromEnv({ ...GOOD, ...env });

    expect(result).toEqual({ ok: false, problems });
    expect(JSON.stringify(result)).not.toContain('the-secret');
  });
});
