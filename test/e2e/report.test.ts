import { spawnSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TerminalView } from '../../collector/api/views.ts';
import { eventually } from '../helpers/eventually.ts';
import { startInflux } from '../helpers/influx.ts';
import { Installation } from '../helpers/installation.ts';
import { lacks, serverPath } from '../helpers/servers.ts';

const SN = 'SN000001';

describe.skipIf(lacks('influxd') || lacks('mosquitto_pub'))('a report sent with mosquitto_pub', () => {
  it('is in InfluxDB, in the API and in the state of its terminal', async () => {
    const influx = await startInflux();
    onTestFinished(() => influx.stop());
    const { url, token, org, bucket } = influx;
    const installation = await Installation.create({ INFLUX_URL: url, INFLUX_TOKEN: token, INFLUX_ORG: org, INFLUX_BUCKET: bucket });
    await installation.start('start').ready();
    await installation.api('/v1/imports', {
      files: [{ name: 'terminals.csv', text: `acquirer,merchant,site,sn\nacme,m-1001,s-17,${SN}\n` }],
    });
    const { token: password } = await installation.api<{ token: string }>('/v1/enrolments', { user: `acme/${SN}` });
    const at = Date.now();
    const birth = { v: 1, session: '01JSESSION', at, model: 'A920', app: '3.4.1', interval: 300, keepalive: 330 };
    const sample = {
      at,
      signal: { rat: 'lte', rsrp: -101 },
      bindings: { terminals: { bound: 7, limit: 10 } },
      power: { battery: 0.83, mains: true },
    };

    publish(installation.mqttPort()!, password, 'birth', birth);
    publish(installation.mqttPort()!, password, 'report', { v: 1, session: '01JSESSION', seq: 41, samples: [sample] });

    const terminal = await eventually(async () => {
      const found = await installation.api<TerminalView>(`/v1/terminals/${SN}?acquirer=acme`);
      expect(found.last).not.toBeNull();
      return found;
    });
    expect(terminal).toMatchObject({
      acquirer: 'acme',
      sn: SN,
      merchant: 'm-1001',
      site: 's-17',
      state: 'online',
      last: sample,
      app: '3.4.1',
    });
    const [point] = await eventually(async () => {
      const points = await influx.points('terminal');
      expect(points).toHaveLength(1);
      return points;
    });
    expect(point).toEqual({
      measurement: 'terminal',
      tags: { acquirer: 'acme', merchant: 'm-1001', site: 's-17', sn: SN, model: 'A920', app: '3.4.1' },
      fields: {
        seq: 41,
        signal_rat: 'lte',
        signal_rsrp: -101,
        bindings_terminals_bound: 7,
        bindings_terminals_limit: 10,
        power_battery: 0.83,
        power_mains: true,
      },
      time: expect.stringContaining(new Date(at).toISOString().replace(/\.?0*Z$/, '')),
    });
    await eventually(async () => expect(await influx.points('presence')).toMatchObject([{ fields: { state: 'online', expected: 1 } }]));
  });
});

function publish(port: number, password: string, channel: string, body: object): void {
  const to = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-i',
    SN,
    '-u',
    `acme/${SN}`,
    '-P',
    password,
    '-q',
    '1',
    '-t',
    `pos/v1/acme/${SN}/${channel}`,
  ];
  const { status, stderr } = spawnSync(serverPath('mosquitto_pub')!, [...to, '-m', JSON.stringify(body)], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}
