import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printSettings, readSettings, SETTINGS } from '../../cli/config.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli } from './harness.ts';

const INFLUX = { INFLUX_URL: 'http://127.0.0.1:8086', INFLUX_TOKEN: 'a-secret-token' };

function problemsOf(env: Record<string, string>): string[] {
  try {
    readSettings(env);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  throw new Error('these settings were taken');
}

describe('settings', () => {
  it('have the defaults that are documented', () => {
    expect(readSettings({ TILLWATCH_NODE: 'n' })).toMatchObject({
      dataDir: './tillwatch-data',
      mqtt: { host: '127.0.0.1', port: 1883 },
      http: { host: '127.0.0.1', port: 8080 },
      influx: undefined,
    });
  });

  it('that are blank count as unset', () => {
    expect(readSettings({ TILLWATCH_DATA_DIR: '', INFLUX_URL: '', INFLUX_TOKEN_FILE: '' }).dataDir).toBe('./tillwatch-data');
  });

  it('name the host where nobody names the node, in letters that the log takes', () => {
    expect(readSettings({}).node).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  });

  it.each([
    ['[::1]:1883', { host: '::1', port: 1883 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['0.0.0.0:65535', { host: '0.0.0.0', port: 65_535 }],
  ])('take the address %s', (text, address) => {
    expect(readSettings({ TILLWATCH_MQTT_LISTEN: text }).mqtt).toEqual(address);
  });

  it.each(['1883', ':1883', 'localhost', 'localhost:', 'localhost:65536', 'localhost:-1', '::1:1883', 'a b:x', 'mqtt://localhost:1883'])(
    'refuse the address %s',
    (text) => {
      expect(problemsOf({ TILLWATCH_MQTT_LISTEN: text })).toEqual([
        `TILLWATCH_MQTT_LISTEN: "${text}" is not host:port, such as 127.0.0.1:1883`,
      ]);
    },
  );

  it.each(['http://user:pa55word@127.0.0.1:8086', 'influx', 'ftp://influx', 'http://'])(
    'refuse %s as INFLUX_URL, and show no password',
    (url) => {
      const problems = problemsOf({ ...INFLUX, INFLUX_URL: url });

      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/^INFLUX_URL: /);
      expect(problems[0]).not.toContain('pa55word');
    },
  );

  it('take a secret from its file', async () => {
    const file = join(await tempDir(), 'token');
    await writeFile(file, ' a-secret-token\n');

    expect(readSettings({ INFLUX_URL: INFLUX.INFLUX_URL, INFLUX_TOKEN_FILE: file }).influx?.token).toBe('a-secret-token');
  });

  it('refuse a secret that is given twice', async () => {
    const file = join(await tempDir(), 'token');
    await writeFile(file, 'another');

    expect(problemsOf({ ...INFLUX, INFLUX_TOKEN_FILE: file })).toEqual(['INFLUX_TOKEN and INFLUX_TOKEN_FILE are both set: choose one']);
  });

  it('tell all mistakes at once', () => {
    const problems = problemsOf({
      TILLWATCH_MQTT_LISTEN: 'x',
      TILLWATCH_HTTP_LISTEN: 'y:99999',
      TILLWATCH_NODE: 'a node',
      TILLWATCH_LOG_DAYS: 'many',
      TILLWATCH_LOG_MAX_BYTES: '-1',
      TILLWATCH_LOG_RESERVE_BYTES: '1.5',
      INFLUX_URL: 'nowhere',
      INFLUX_TOKEN_FILE: '/nonexistent/token',
    });

    expect(problems.map((problem) => problem.split(':')[0]).toSorted()).toEqual(
      [
        'INFLUX_TOKEN',
        'INFLUX_TOKEN_FILE',
        'INFLUX_URL',
        'TILLWATCH_HTTP_LISTEN',
        'TILLWATCH_LOG_DAYS',
        'TILLWATCH_LOG_MAX_BYTES',
        'TILLWATCH_LOG_RESERVE_BYTES',
        'TILLWATCH_MQTT_LISTEN',
        'TILLWATCH_NODE',
      ].toSorted(),
    );
  });
});

describe('--print-config', () => {
  it('prints every setting in force, with secrets masked, and starts nothing', async () => {
    const { code, out, said } = await cli(['start', '--print-config'], { env: { ...INFLUX, TILLWATCH_DATA_DIR: '/nonexistent/data' } });

    expect([code, said]).toEqual([0, []]);
    expect(out.map((line) => line.split('=')[0])).toEqual(SETTINGS.map(({ name }) => name));
    expect(out).toContain('TILLWATCH_DATA_DIR=/nonexistent/data');
    expect(out).toContain('INFLUX_TOKEN=********');
    expect(out.join('\n')).not.toContain('a-secret-token');
  });

  it('masks a secret that came from a file', async () => {
    const file = join(await tempDir(), 'token');
    await writeFile(file, 'a-secret-token');

    expect(printSettings({ INFLUX_URL: INFLUX.INFLUX_URL, INFLUX_TOKEN_FILE: file }).join('\n')).not.toContain('a-secret-token');
  });

  it('prints mistakes in their place', async () => {
    const { code, out, said } = await cli(['broker', '--print-config'], { env: { TILLWATCH_MQTT_LISTEN: 'x' } });

    expect([code, out]).toEqual([1, []]);
    expect(said).toEqual(['tillwatch: TILLWATCH_MQTT_LISTEN: "x" is not host:port, such as 127.0.0.1:1883']);
  });
});
