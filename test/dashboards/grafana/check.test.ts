import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readDashboard } from '../../../dashboards/grafana/check/dashboard.ts';
import { structureProblems } from '../../../dashboards/grafana/check/structure.ts';
import { grafanaFiles } from '../../../dashboards/grafana/files.ts';
import { DATA_SOURCE_UID, FLEET_NOW_UID, TERMINAL_UID } from '../../../dashboards/grafana/names.ts';
import { shippedFiles } from '../../../dashboards/grafana/shipped.ts';
import { cli } from '../../cli/harness.ts';
import { tempDir } from '../../helpers/tempdir.ts';

/** Both dashboards, with one thing changed in the file of one. */
function changed(uid = '', from = '', to = '') {
  return Object.entries(grafanaFiles()).flatMap(([name, text]) => {
    if (!name.endsWith('.json')) return [];
    const mine = name.includes(uid) && uid !== '';
    if (mine) expect(text).toContain(from);
    const read = readDashboard(mine ? text.replace(from, to) : text);
    if (!read.ok) throw new Error(read.problem);
    return [read.value];
  });
}

describe('the structure of the dashboards', () => {
  it('is sound', () => {
    expect(structureProblems(changed())).toEqual([]);
  });

  it.each([
    ['a link to no dashboard', FLEET_NOW_UID, '/d/tillwatch-terminal?', '/d/tillwatch-terminals?', 'leads to no dashboard'],
    ['a link that sets no variable', FLEET_NOW_UID, '&var-sn=', '&var-serial=', 'sets "serial", which tillwatch-terminal does not have'],
    ['a link that reads no column', FLEET_NOW_UID, 'data.fields.sn}', 'data.fields.serial}', 'reads the column "serial"'],
    ['a link that reads no variable', TERMINAL_UID, `\${acquirer:percentencode}`, `\${bank:percentencode}`, 'reads the variable "bank"'],
    ['a link of the whole dashboard', TERMINAL_UID, '/d/tillwatch-fleet-now?', '/d/fleet?', 'leads to no dashboard'],
    ['a query with no variable', TERMINAL_UID, `\${sn:regex}`, `\${serial:regex}`, 'there is no variable "serial"'],
    ['a value put in unescaped', TERMINAL_UID, `\${sn:regex}`, `\${sn}`, `\${sn} is put in unescaped`],
    [
      'another data source',
      TERMINAL_UID,
      '"uid": "tillwatch-influxdb"\n          },\n          "query"',
      '"uid": "x"},"query"',
      'its data source is x',
    ],
    ['no query', TERMINAL_UID, '"targets"', '"aims"', 'it has no query'],
    ['the same uid twice', FLEET_NOW_UID, `"uid": "${FLEET_NOW_UID}"`, `"uid": "${TERMINAL_UID}"`, 'another dashboard has its uid'],
  ])('with %s is wrong', (_, uid, from, to, problem) => {
    expect(structureProblems(changed(uid, from, to)).join('\n')).toContain(problem);
  });

  it('describes every panel, and says what it means that one is empty', () => {
    for (const [name, text] of Object.entries(grafanaFiles())) {
      if (!name.endsWith('.json')) continue;
      for (const { title, description, fieldConfig } of JSON.parse(text).panels) {
        expect([title, description, fieldConfig.defaults.noValue].map((said) => typeof said)).toEqual(['string', 'string', 'string']);
      }
    }
  });

  it('leaves no panel over another, or beyond the grid', () => {
    for (const [name, text] of Object.entries(grafanaFiles())) {
      if (!name.endsWith('.json')) continue;
      const taken = new Set<string>();
      for (const { gridPos } of JSON.parse(text).panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken).not.toContain(`${x},${y}`);
            taken.add(`${x},${y}`);
          }
        }
      }
    }
  });
});

describe('provisioning', () => {
  it('names the data source that every panel asks, with what it needs from the environment and no secret', () => {
    const { apiVersion, datasources } = parse(grafanaFiles()['provisioning/datasources/tillwatch.yaml']!);

    expect(apiVersion).toBe(1);
    expect(datasources).toEqual([
      expect.objectContaining({
        uid: DATA_SOURCE_UID,
        type: 'influxdb',
        url: '$INFLUX_URL',
        jsonData: { version: 'Flux', organization: '$INFLUX_ORG', defaultBucket: '$INFLUX_BUCKET' },
        secureJsonData: { token: '$INFLUX_TOKEN' },
      }),
    ]);
  });

  it('names the folder of the dashboards', () => {
    const { apiVersion, providers } = parse(grafanaFiles()['provisioning/dashboards/tillwatch.yaml']!);

    expect(apiVersion).toBe(1);
    expect(providers).toEqual([expect.objectContaining({ type: 'file', options: { path: '/etc/tillwatch/dashboards' } })]);
  });
});

describe('tillwatch dashboards', () => {
  it('ships what the code builds', async () => {
    expect(await shippedFiles()).toEqual(grafanaFiles());
  });

  it('build writes it all where it is told to, for Grafana to read', async () => {
    const out = join(await tempDir(), 'new', 'grafana');

    const built = await cli(['dashboards', 'build', '--out', out]);

    expect([built.code, built.said]).toEqual([0, []]);
    expect(built.out).toEqual(Object.keys(await shippedFiles()).map((name) => join(out, name)));
    for (const [name, text] of Object.entries(grafanaFiles())) {
      expect(await readFile(join(out, name), 'utf8')).toBe(text);
      expect((await stat(join(out, name))).mode & 0o777).toBe(0o644);
    }
    expect((await stat(join(out, 'dashboards'))).mode & 0o777).toBe(0o755);
    expect((await cli(['dashboards', 'check', out])).code).toBe(0);
    const again = await cli(['dashboards', 'build', '--out', out, '--json']);
    expect([again.code, JSON.parse(again.out[0]!)]).toEqual([0, built.out]);
  });

  it('build says where it may not write', async () => {
    const file = join(await tempDir(), 'file');
    await writeFile(file, '');

    expect(await cli(['dashboards', 'build', '--out', file])).toMatchObject({ code: 1, said: [expect.stringContaining('--out')] });
  });

  it('check without InfluxDB checks what needs none, and says so', async () => {
    const { code, out, said } = await cli(['dashboards', 'check']);

    expect([code, out.length]).toEqual([0, 2]);
    expect(said).toEqual(['the queries were not run: set INFLUX_URL and INFLUX_TOKEN to run them too']);
  });

  it('check of a folder with a wrong link ends with 1, and names panel and link', async () => {
    const out = await tempDir();
    await cli(['dashboards', 'build', '--out', out]);
    const path = join(out, 'dashboards', `${FLEET_NOW_UID}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('var-sn', 'var-serial'));

    const { code, out: printed, said } = await cli(['dashboards', 'check', out, '--json']);

    expect(code).toBe(1);
    expect(said.at(-1)).toBe('tillwatch: 2 things are wrong with the dashboards');
    expect(JSON.parse(printed[0]!)).toMatchObject({
      structure: [
        expect.stringContaining('panel "Offline terminals": the link'),
        expect.stringContaining('panel "Latest changes of alerts"'),
      ],
      findings: null,
    });
  });

  it.each([
    ['{', 'not JSON'],
    ['{"uid":"x"}', 'not a dashboard: title'],
  ])('check of a file with %s ends with 1, and names it', async (text, problem) => {
    const out = await tempDir();
    await cli(['dashboards', 'build', '--out', out]);
    await writeFile(join(out, 'dashboards', 'mine.json'), text);

    expect(await cli(['dashboards', 'check', out])).toMatchObject({
      code: 1,
      out: [],
      said: [expect.stringContaining(`dashboards/mine.json: ${problem}`)],
    });
  });

  it('check of no folder, or one without dashboards, says what to do', async () => {
    expect((await cli(['dashboards', 'check', '/nonexistent'])).said.at(-1)).toContain('there is no file /nonexistent/dashboards');
  });
});
