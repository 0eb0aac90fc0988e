import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../cli/config.ts';
import { cli, cliProcess } from './harness.ts';

const COMMANDS = [
  ['demo'],
  ['start'],
  ['broker'],
  ['collector'],
  ['import'],
  ['enroll'],
  ['revoke'],
  ...['list', 'rotate', 'retire'].map((name) => ['keys', name]),
  ['alerts', 'replay'],
  ['simulate'],
  ...['add', 'list', 'remove', 'test', 'enable', 'resend', 'listen', 'verify'].map((name) => ['webhook', name]),
  ...['list', 'show', 'replay'].map((name) => ['quarantine', name]),
  ...['inspect', 'verify', 'export'].map((name) => ['log', name]),
  ['agent', 'run'],
  ['agent', 'once'],
  ['dashboards', 'build'],
  ['dashboards', 'check'],
];

describe('help', () => {
  it('lists every command', async () => {
    const { code, out } = await cli(['--help']);

    expect(code).toBe(0);
    for (const name of new Set(COMMANDS.map(([first]) => first))) expect(out.join('\n')).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it.each(COMMANDS.map((command) => ({ command })))('of $command goes to the output, and the exit is 0', async ({ command }) => {
    const { code, out, said } = await cli([...command, '--help']);

    expect([code, said]).toEqual([0, []]);
    expect(out.join('\n')).toMatch(/^Usage: tillwatch /);
  });

  it.each(COMMANDS.map((command) => ({ command })))('of $command shows examples', async ({ command }) => {
    expect((await cli([...command, '--help'])).out.join('\n')).toMatch(/Examples?:\n {2}.*tillwatch /);
  });

  it.each(['start', 'broker', 'collector'])('of %s names every setting', async (command) => {
    const help = (await cli([command, '--help'])).out.join('\n');

    for (const { name } of SETTINGS) expect(help).toContain(name);
  });
});

describe('--version', () => {
  it('prints the version of the package, from its source and as it is built', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));

    expect(await cli(['--version'])).toEqual({ code: 0, out: [version], said: [] });
    expect(await cliProcess(['--version'])).toEqual({ code: 0, out: [version], said: [] });
  });
});

describe('wrong use', () => {
  it.each([
    [['dance']],
    [['start', '--loud']],
    [['start', 'now']],
    [['import']],
    [['enroll']],
    [['enroll', 'acme']],
    [['enroll', 'ACME/SN000001']],
    [['enroll', 'acme/SN1']],
    [['enroll', 'acme/SN000001', '--noc', 'x']],
    [['enroll', '--noc', 'a b']],
    [['enroll', 'acme/SN000001', '--days', '0']],
    [['enroll', 'acme/SN000001', '--days', 'soon']],
    [['enroll', 'acme/SN000001', '--days', '3651']],
    [['revoke']],
    [['revoke', 'noc:x']],
    [['alerts']],
    [['alerts', 'replay']],
    [['agent']],
    [['log']],
    [['quarantine']],
    [['quarantine', 'show']],
    [['quarantine', 'replay']],
    [['quarantine', 'replay', '--reason', 'bad_json']],
    [['quarantine', 'replay', '1-0', '--all']],
    [['quarantine', 'replay', '1-0', '--from', 'acme/SN000001']],
    [['log', 'inspect', 'everything']],
    [['log', 'export', '--from', 'yesterday']],
    [['log', 'export', '--from', '2026-01-02', '--to', '2026-01-01']],
    [['agent', 'sleep']],
    [['dashboards']],
    [['dashboards', 'draw']],
    [['dashboards', 'build', 'here']],
    [['dashboards', 'check', '--terminal', 'acme']],
  ])('%j ends with 2, says why, and prints no data', async (args) => {
    const { code, out, said } = await cli(args);

    expect([code, out]).toEqual([2, []]);
    expect(said.join('\n')).not.toBe('');
    expect(said.join('\n')).not.toMatch(/^\s+at /m);
  });

  it('without a command shows the help, and ends with 2', async () => {
    const { code, said } = await cli([]);

    expect(code).toBe(2);
    expect(said.join('\n')).toContain('Usage: tillwatch');
  });
});

describe('failure', () => {
  it.each([
    ['a file that is not there', ['alerts', 'replay', '/nonexistent/log.jsonl'], 'there is no file /nonexistent/log.jsonl'],
    ['a folder to import that is not there', ['import', '/nonexistent/registry'], 'there is no file or folder /nonexistent/registry'],
    ['a wrong setting', ['enroll', 'acme/SN000001'], 'TILLWATCH_HTTP_LISTEN'],
    ['an agent without settings', ['agent', 'once'], 'TILLWATCH_AGENT_URL is missing'],
  ])('by %s ends with 1 and one clear line', async (_, args, line) => {
    const { code, out, said } = await cli(args, { env: { TILLWATCH_HTTP_LISTEN: 'nowhere' } });

    expect([code, out]).toEqual([1, []]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^tillwatch: /);
    expect(said[0]).toContain(line);
  });
});
