import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TerminalView } from '../../collector/api/views.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { SCENARIOS } from '../../simulator/scenarios.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { sideBySide } from '../helpers/side-by-side.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli, cliProcess, type Said, shell } from './harness.ts';

describe('tillwatch simulate, used wrongly', () => {
  it.each([
    { args: ['--terminals', '0'], says: /whole number, 1 to/ },
    { args: ['--scenario', 'nix'], says: /there is no "nix".*--list/ },
    { args: ['--speed', '0x'], says: /1x to 3600x/ },
    { args: ['--for', 'ages'], says: /such as 10m/ },
    { args: ['--url', 'mqtts://127.0.0.1:8883'], says: /mqtt:\/\/host:port/ },
    { args: ['--entries', '--keep'], says: /--keep: not with --entries/ },
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

  it.concurrent(
    'registers, enrolls and connects a fleet at an installation that runs, sums up what it sent, and leaves nothing that is missed',
    sideBySide(async () => {
      const installation = await installed();
      for (const [again, runs] of [[false, 1] as const, [true, 2] as const]) {
        const run = await simulate(installation, ['--json']);
        expect([run.code, run.said.length], `${again}: ${run.said}`).toEqual([0, 1]);
        const { sent, acknowledged, unacknowledged, removed } = JSON.parse(run.out[0]!);
        expect(acknowledged).toBeGreaterThan(6);
        expect([sent, unacknowledged, removed]).toEqual([acknowledged, 0, 6]);
        await everybodyIsAway(installation, 6 * runs);
        expect(await switchedOff(installation)).toEqual([]);
      }
      const { items } = await terminals(installation);
      expect(items.map(({ lifecycle, merchant }) => [lifecycle, merchant?.slice(0, 5)])).toEqual(Array(6).fill(['deleted', 'sim1-']));
    }),
  );

  it.concurrent(
    'leaves the fleet where it is told to, so that it is missed, and takes it out in a later run',
    sideBySide(async () => {
      const installation = await installed();

      const kept = await simulate(installation, ['--keep']);

      expect([kept.code, kept.out]).toEqual([
        0,
        [expect.stringMatching(/^done: (\d+) of \1 reports acknowledged, 0 reconnects, fleet kept$/)],
      ]);
      await eventually(async () => expect(await switchedOff(installation)).toHaveLength(6));
      const removed = await simulate(installation, []);
      expect([removed.code, removed.out]).toEqual([0, [expect.stringMatching(/, fleet removed$/)]]);
      await eventually(async () => expect((await installation.alerts()).filter(({ state }) => state === 'firing')).toEqual([]));
    }),
  );

  it.concurrent(
    'ends with 1, and says what to do, where no terminal could log in',
    sideBySide(async () => {
      const installation = await installed();

      const { code, out, said } = await simulate(installation, ['--url', 'mqtt://127.0.0.1:1']);

      expect([code, out]).toEqual([1, [expect.stringMatching(/^done: 0 of \d+ reports acknowledged, .*fleet removed$/)]]);
      expect(said.join('\n')).toMatch(/a terminal cannot connect, and tries again: ECONNREFUSED/);
      expect(said.at(-1)).toMatch(
        /^tillwatch: no terminal could log in at mqtt:\/\/127.0.0.1:1, and (\d+) of \1 reports are unacknowledged: .*--url/,
      );
    }),
  );
});

/** Soon missed, where somebody is: at this speed they report each three seconds at the least. Each is told of, though all go at once. */
const RULES = { 'terminal.offline': { offlineIntervals: 2, offlineKeepalives: 0.2 }, outage: { leastTerminals: 100 } };

async function installed(): Promise<Installation> {
  const installation = await Installation.create();
  const rules = join(installation.paths.root, 'rules.json');
  await writeFile(rules, JSON.stringify(RULES), { mode: 0o600 });
  await installation.start('start', { TILLWATCH_RULES: rules }).ready();
  return installation;
}

function simulate(installation: Installation, args: readonly string[]): Promise<Said> {
  const url = args.includes('--url') ? [] : ['--url', `mqtt://127.0.0.1:${installation.mqttPort()}`];
  const run = ['simulate', '--terminals', '6', '--scenario', 'quiet', '--speed', '300x', '--for', '5s', ...url, ...args];
  return cliProcess(run, { TILLWATCH_DATA_DIR: installation.paths.root });
}

const terminals = (installation: Installation) => installation.api<{ items: TerminalView[] }>('/v1/terminals');

/** The wait after their goodbyes is over. */
/** Resolves once the watch has found so many terminals offline, and kept it to itself because they are deleted. */
async function everybodyIsAway(installation: Installation, terminals: number): Promise<void> {
  const decided = /^tillwatch_decisions_total\{kind="terminal.offline lifecycle"\} (\d+)$/m;
  const count = async () => Number(decided.exec(await (await fetch(`${installation.url}/metrics`)).text())?.[1] ?? 0);
  await eventually(async () => expect(await count()).toBeGreaterThanOrEqual(terminals));
}

/** Alerts, past or present, about terminals that said goodbye. */
async function switchedOff(installation: Installation): Promise<Alert[]> {
  return (await installation.alerts()).filter(({ cause }) => cause === 'switched_off');
}
