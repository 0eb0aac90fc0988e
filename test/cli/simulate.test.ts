import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TerminalView } from '../../collector/api/views.ts';
import { SCENARIOS } from '../../simulator/scenarios.ts';
import { Installation } from '../helpers/installation.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli, cliProcess, shell } from './harness.ts';

describe('tillwatch simulate, used wrongly', () => {
  it.each([
    { args: ['--terminals', '0'], says: /whole number, 1 to/ },
    { args: ['--scenario', 'nix'], says: /there is no "nix".*--list/ },
    { args: ['--speed', '0x'], says: /1x to 3600x/ },
    { args: ['--for', 'ages'], says: /such as 10m/ },
    { args: ['--url', 'mqtts://127.0.0.1:8883'], says: /mqtt:\/\/host:port/ },
    { args: ['--days', '2'], says: /--days: only with --entries/ },
    { args: ['--entries', '--speed', '60x', '--for', '1h'], says: /--speed, --for: not with --entries/ },
    { args: ['--entries', '--start', 'monday'], says: /A time, such as/ },
    { args: ['--scenario', 'platform.blind'], says: /--entries/ },
  ])('says what to do, exit 2: $args', async ({ args, says }) => {
    const { code, out, said } = await cli(['simulate', ...args]);

    expect([code, out]).toEqual([2, []]);
    expect(said.join(' ')).toMatch(says);
  });
});

describe('tillwatch simulate', () => {
  it('refuses more terminals than the machine carries, and says how many and why', async () => {
    const { code, said } = await cli(['simulate', '--terminals', '1000000']);

    expect(code).toBe(1);
    expect(said.join('\n')).toMatch(/this machine carries \d+ over MQTT .*because .*--entries/);
  });

  it('says where no installation runs', async () => {
    const { code, said } = await cli(['simulate'], { env: { TILLWATCH_DATA_DIR: await tempDir() } });

    expect(code).toBe(1);
    expect(said.join('\n')).toMatch(/no installation runs here.*tillwatch start/);
  });

  it('lists every scenario with what it is about', async () => {
    const { out } = await cli(['simulate', '--list']);

    expect(out.map((line) => line.split(/ {2,}/)[0])).toEqual(SCENARIOS.map(({ name }) => name));
  });

  it('pipes entries into the replay, with the truth beside them', async () => {
    const truth = join(await tempDir(), 'truth.jsonl');
    const line = `tillwatch simulate --entries --scenario quota.terminals --terminals 60 --truth ${truth} | tillwatch alerts replay - --json`;

    const { code, printed } = await shell(line);

    const alerts = printed
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    const incidents = (await readFile(truth, 'utf8'))
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(code).toBe(0);
    expect(new Set(alerts.filter(({ alert }) => alert.severity !== 'info').map(({ alert }) => alert.subject.merchant))).toEqual(
      new Set(incidents.map(({ subject }) => subject.merchant)),
    );
  });

  it('begins a fleet of a million at once, and ends when nobody reads on', async () => {
    const { printed } = await shell('tillwatch simulate --entries --terminals 1000000 | head -3');

    expect(printed.trim().split('\n')).toHaveLength(3);
  });

  it('says where the truth cannot be written', async () => {
    const { code, said } = await cli(['simulate', '--entries', '--truth', '/nowhere/truth.jsonl']);

    expect(code).toBe(1);
    expect(said.join('\n')).toMatch(/--truth: \/nowhere\/truth.jsonl cannot be written \(ENOENT\)/);
  });

  it('registers, enrolls and connects a fleet at an installation that runs, and sums up what it sent', async () => {
    const installation = await Installation.create();
    await installation.start('start').ready();
    const env = { TILLWATCH_DATA_DIR: installation.paths.root };
    const url = `mqtt://127.0.0.1:${installation.mqttPort()}`;

    const run = ['simulate', '--terminals', '6', '--scenario', 'quiet', '--speed', '300x', '--for', '5s', '--url', url, '--json'];
    const { code, out, said } = await cliProcess(run, env);

    expect([code, said.length]).toEqual([0, 1]);
    const { sent, acknowledged, unacknowledged } = JSON.parse(out[0]!);
    expect(acknowledged).toBeGreaterThan(6);
    expect([sent, unacknowledged]).toEqual([acknowledged, 0]);
    const { items } = await installation.api<{ items: TerminalView[] }>('/v1/terminals');
    expect(items.map(({ state, merchant }) => [state, merchant === null])).toEqual(Array(6).fill(['goodbye', false]));
  });
});
