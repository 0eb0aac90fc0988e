import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readSettings, SETTINGS } from '../../cli/config.ts';
import { shippedFiles } from '../../dashboards/grafana/shipped.ts';
import { cli } from '../cli/harness.ts';
import { compose, imageEnvironment, instructions, ours, ROOT, service, textOf } from './compose.ts';

/** Rules of order: ours is by what belongs together. */
const UNUSED_RULES = [
  'service-dependencies-alphabetical-order',
  'service-keys-order',
  'services-alphabetical-order',
  'top-level-properties-order',
];
const services = Object.entries(compose.services).map(([name, about]) => ({ name, ...about }));

interface Linted {
  messages: { rule: string; message: string }[];
}

function lint(path: string): string[] {
  const rules = Object.fromEntries(UNUSED_RULES.map((rule) => [rule, 0 as const]));
  const linted = new DCLinter({ rules, quiet: false, debug: false, exclude: [] }).lintFiles([path], false) as Linted[];
  return linted.flatMap(({ messages }) => messages.map(({ rule, message }) => `${rule}: ${message}`));
}

describe('docker-compose.yml', () => {
  it("keeps to the compose specification's schema and to the rules of its linter", () => {
    expect(lint(join(ROOT, 'docker-compose.yml'))).toEqual([]);
  });

  it.each(services)('pins the image of $name', ({ image, build }) => {
    expect(image).toMatch(/^[a-z/]+:\d+\.\d+\.\d+$/);
    if (build) expect(image).toBe(`tillwatch:${JSON.parse(textOf('package.json')).version}`);
  });

  it.each(services)('names only services and volumes that exist, for $name', ({ depends_on = {}, pid, volumes = [] }) => {
    const named = [...Object.keys(depends_on), ...(pid ? [pid.replace(/^service:/, '')] : [])];
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(named));
    for (const [source] of volumes.map((volume) => volume.split(':'))) {
      if (source!.startsWith('.')) expect(existsSync(join(ROOT, source!)), source).toBe(true);
      else expect(compose.volumes).toHaveProperty(source!);
    }
  });

  it.each(services)('publishes nothing of $name beyond this machine', ({ ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
  });

  it('publishes the ports that the image listens on', () => {
    const { mqtt, http } = readSettings({ ...imageEnvironment, ...service('broker').environment });
    expect(mqtt.host).toBe('0.0.0.0');
    expect([service('broker').ports, service('collector').ports]).toEqual([
      [`127.0.0.1:${mqtt.port}:${mqtt.port}`],
      [`127.0.0.1:${http.port}:${http.port}`],
    ]);
    expect(instructions('EXPOSE')).toEqual([`${mqtt.port} ${http.port}`]);
  });

  it.each(ours.map(([name, about]) => ({ name, ...about })))('gives $name settings that exist', ({ environment = {} }) => {
    const known = SETTINGS.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  it('has every secret from .env, names it there, and has no default for one', () => {
    const used = [...textOf('docker-compose.yml').matchAll(/\$\{(\w+)(:[?-])([^}]*)\}/g)];
    const offered = [...textOf('.env.example').matchAll(/^#?([A-Z_]+)=(.*)$/gm)];

    expect(new Set(used.map(([, name]) => name))).toEqual(new Set(offered.map(([, name]) => name)));
    for (const [, name, operator] of used) expect([name, operator]).toEqual([name, /TOKEN|PASSWORD/.test(name!) ? ':?' : ':-']);
    for (const [, name, value] of offered) if (/TOKEN|PASSWORD/.test(name!)) expect(value).toBe('');
    expect(textOf('docker-compose.yml').match(/\$\w/g)).toBeNull();
  });

  it('runs broker and collector over one data folder and one table of processes, as their locks need it', () => {
    const [broker, collector] = [service('broker'), service('collector')];
    expect(broker.volumes).toEqual(collector.volumes);
    expect(broker.volumes).toEqual([`data:${imageEnvironment.TILLWATCH_DATA_DIR}`]);
    expect([broker.pid, collector.pid]).toEqual(['service:processes', 'service:processes']);
  });

  it('gives Grafana the provisioning, what it names, and the variables that it takes', async () => {
    const files = await shippedFiles();
    const mounts = new Map(service('grafana').volumes!.map((volume) => volume.split(':').slice(0, 2) as [string, string]));
    const provider = parse(files['provisioning/dashboards/tillwatch.yaml']!).providers[0];
    const variables = [...files['provisioning/datasources/tillwatch.yaml']!.matchAll(/: \$(\w+)/g)].map(([, name]) => name!);

    expect(mounts.get('./deploy/grafana/dashboards')).toBe(provider.options.path);
    expect(mounts.get('./deploy/grafana/provisioning/datasources')).toBe('/etc/grafana/provisioning/datasources');
    expect(mounts.get('./deploy/grafana/provisioning/dashboards')).toBe('/etc/grafana/provisioning/dashboards');
    expect(Object.keys(service('grafana').environment!)).toEqual(expect.arrayContaining(variables));
  });

  it('lets collector and Grafana speak of the InfluxDB that is set up', () => {
    const { environment: influx } = service('influxdb');
    for (const name of ['collector', 'grafana']) {
      const { INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET } = service(name).environment!;
      expect(new URL(INFLUX_URL!).hostname).toBe('influxdb');
      expect([INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET]).toEqual([
        influx!.DOCKER_INFLUXDB_INIT_ADMIN_TOKEN,
        influx!.DOCKER_INFLUXDB_INIT_ORG,
        influx!.DOCKER_INFLUXDB_INIT_BUCKET,
      ]);
    }
  });

  it.each(ours.flatMap(([name, { command }]) => (command ? [{ name, command }] : [])))(
    'runs $name by a command line that the product takes',
    async ({ command: [word = '', ...args] }) => {
      const { code, out } = await cli([word, '--help']);

      expect([code, out[0]]).toEqual([0, expect.stringContaining(word === '--help' ? 'Usage: tillwatch ' : `Usage: tillwatch ${word} `)]);
      for (const flag of args.filter((arg) => arg.startsWith('--'))) expect(out.join('\n')).toContain(`${flag} `);
    },
  );
});
