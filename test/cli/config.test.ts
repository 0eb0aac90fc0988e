import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printSettings, readSettings, SETTINGS } from '../../cli/config.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli, problemsOf } from './harness.ts';

const INFLUX = { INFLUX_URL: 'http://127.0.0.1:8086', INFLUX_TOKEN: 'a-secret-token' };

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
    expect(readSettings({ TILLWATCH_MQTT_LISTEN: text, TILLWATCH_INSECURE_LISTEN: '1' }).mqtt).toEqual(address);
  });

  it.each(['1883', ':1883', 'localhost', 'localhost:', 'localhost:65536', 'localhost:-1', '::1:1883', 'a b:x', 'mqtt://localhost:1883'])(
    'refuse the address %s',
    (text) => {
      expect(problemsOf({ TILLWATCH_MQTT_LISTEN: text })).toEqual([
        `TILLWATCH_MQTT_LISTEN: "${text}" is not host:port, such as 127.0.0.1:1883`,
      ]);
    },
  );

  it('say how long the store keeps points, and how many series it may have', () => {
    const set = { TILLWATCH_RAW_DAYS: '7', TILLWATCH_ROLLUP_DAYS: '0', TILLWATCH_MAX_SERIES: '5' };

    expect(readSettings({})).toMatchObject({ kept: { rawDays: 30, rollupDays: 400 }, maxSeries: 200_000 });
    expect(readSettings(set)).toMatchObject({ kept: { rawDays: 7, rollupDays: 0 }, maxSeries: 5 });
    expect(problemsOf({ TILLWATCH_RAW_DAYS: '-1', TILLWATCH_MAX_SERIES: '0' })).toEqual([
      'TILLWATCH_RAW_DAYS: "-1" is not a whole number',
      'TILLWATCH_MAX_SERIES: at least 1',
    ]);
  });

  it('want a token beside the address of an API elsewhere', () => {
    expect(problemsOf({ TILLWATCH_API_URL: 'ftp://collector' })).toEqual([
      'TILLWATCH_API_URL: not an http or https address, such as https://tillwatch.example',
      'TILLWATCH_API_TOKEN: missing, and TILLWATCH_API_URL is set: give a token of that API, or its file in TILLWATCH_API_TOKEN_FILE',
    ]);
  });

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

  it('name the least that a log can work with', () => {
    const problems = (bytes: number) => problemsOf({ TILLWATCH_LOG_MAX_BYTES: String(bytes), TILLWATCH_NODE: 'a node' });

    expect(problems(134_217_727)).toContain('TILLWATCH_LOG_MAX_BYTES: at least 134217728');
    expect(problems(134_217_728)).toHaveLength(1);
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

describe('a variable that looks like a setting and is none', () => {
  it('is named in a warning, with the setting that was meant', async () => {
    const env = { TILLWATCH_WEBHOOK_ALOW: '::1', TILLWATCH_API_TOKENFILE: 'token', TILLWATCH_COLOUR: 'red' };

    const { code, said } = await cli(['start', '--print-config'], { env });

    expect([code, said]).toEqual([
      0,
      [
        'TILLWATCH_WEBHOOK_ALOW is no setting, and has no effect: did you mean TILLWATCH_WEBHOOK_ALLOW?',
        'TILLWATCH_API_TOKENFILE is no setting, and has no effect: did you mean TILLWATCH_API_TOKEN_FILE?',
        'TILLWATCH_COLOUR is no setting, and has no effect',
      ],
    ]);
  });

  it.each(['broker', 'collector'])('is named beside the mistakes of others (%s)', async (command) => {
    const { code, said } = await cli([command], { env: { TILLWATCH_MQTT_LISTEN: 'x', TILLWATCH_HTTP_LISTENS: '127.0.0.1:0' } });

    expect(code).toBe(1);
    expect(said).toEqual([expect.stringContaining('TILLWATCH_HTTP_LISTEN?'), expect.stringContaining('TILLWATCH_MQTT_LISTEN: "x"')]);
  });

  it('is not one of the agent, of the tests, or the file of a secret', async () => {
    const env = { TILLWATCH_AGENT_URL: 'x', TILLWATCH_TEST_REPORT: 'x', TILLWATCH_SERVERS_CACHE: 'x', TILLWATCH_API_TOKEN_FILE: '' };

    expect((await cli(['start', '--print-config'], { env })).said).toEqual([]);
  });
});

describe('--print-config', () => {
  it('prints every setting in force, with secrets masked, and starts nothing', async () => {
    const { code, out, said } = await cli(['start', '--print-config'], { env: { ...INFLUX, TILLWATCH_DATA_DIR: '/nonexistent/data' } });

    expect([code, said]).toEqual([0, []]);
    expect(out.map((line) => /^(?:# )?(\w+)/.exec(line)![1])).toEqual(SETTINGS.map(({ name }) => name));
    expect(out).toContain('TILLWATCH_DATA_DIR=/nonexistent/data');
    expect(out).toContain('INFLUX_TOKEN=********');
    expect(out.join('\n')).not.toContain('a-secret-token');
  });

  it('masks a secret that came from a file', async () => {
    const file = join(await tempDir(), 'token');
    await writeFile(file, 'a-secret-token');

    const lines = printSettings(readSettings({ INFLUX_URL: INFLUX.INFLUX_URL, INFLUX_TOKEN_FILE: file }));

    expect(lines).toContain('INFLUX_TOKEN=********');
    expect(lines.join('\n')).not.toContain('a-secret-token');
  });

  it('prints what is in force where nothing was set: the name of the host, and no InfluxDB', async () => {
    const { out } = await cli(['start', '--print-config'], { env: { INFLUX_ORG: 'unused', TILLWATCH_LOG_DAYS: '007' } });

    expect(out).toContain(`TILLWATCH_NODE=${readSettings({}).node}`);
    expect(out).toContain('TILLWATCH_LOG_DAYS=7');
    expect(out).toContain('TILLWATCH_MQTT_LISTEN=127.0.0.1:1883');
    expect(out.filter((line) => line.includes('INFLUX_'))).toEqual([
      'INFLUX_URL=',
      ...['TOKEN', 'ORG', 'BUCKET'].map((name) => `# INFLUX_${name} is not used without INFLUX_URL`),
    ]);
  });

  it('prints lines that lead to the same settings', () => {
    const settings = readSettings({ TILLWATCH_MQTT_LISTEN: '[::1]:1883', TILLWATCH_HTTP_LISTEN: 'localhost:0', TILLWATCH_LOG_DAYS: '3' });

    const lines = printSettings(settings).filter((line) => !line.startsWith('#'));
    const printed = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);

    expect(readSettings(Object.fromEntries(printed))).toEqual(settings);
  });

  it.each([
    ['http://user:pa55word@influx:8086/x', 'http://user:********@influx:8086/x'],
    ['http://user:pa55@word@influx', 'http://user:********@influx'],
    ['http://:pa55word@influx', 'http://:********@influx'],
    ['http://user@influx:8086', 'http://user@influx:8086'],
    ['http://influx:8086/a:b@c', 'http://influx:8086/a:b@c'],
  ])('masks the password in %s', (url, shown) => {
    const settings = { ...readSettings({}), influx: { url, token: '', org: 'o', bucket: 'b' } };

    expect(printSettings(settings)).toContain(`INFLUX_URL=${shown}`);
  });

  it('shows no password where an address of another kind was given', () => {
    expect(problemsOf({ TILLWATCH_MQTT_LISTEN: 'mqtt://user:pa55word@host:1883' }).join('\n')).not.toContain('pa55word');
  });

  it('prints mistakes in their place', async () => {
    const { code, out, said } = await cli(['broker', '--print-config'], { env: { TILLWATCH_MQTT_LISTEN: 'x' } });

    expect([code, out]).toEqual([1, []]);
    expect(said).toEqual(['tillwatch: TILLWATCH_MQTT_LISTEN: "x" is not host:port, such as 127.0.0.1:1883']);
  });
});
