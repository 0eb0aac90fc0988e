import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const VARIABLES = {
  influxd: 'INFLUXD',
  'nats-server': 'NATS_SERVER',
  mosquitto_pub: 'MOSQUITTO_PUB',
  faketime: 'FAKETIME_PROGRAM',
  'standardwebhooks-python': 'STANDARDWEBHOOKS_PYTHON',
  'paho-python': 'PAHO_PYTHON',
} as const;
export type ServerName = keyof typeof VARIABLES;

let local: Record<string, string | null> | undefined;

/** The path of a real server on this machine, or null where it has none: `npm run servers` provides them. */
export function serverPath(name: ServerName): string | null {
  const given = process.env[VARIABLES[name]];
  if (given) return given;
  if (local === undefined) {
    const script = fileURLToPath(new URL('../../scripts/servers.mjs', import.meta.url));
    local = JSON.parse(spawnSync(process.execPath, [script, '--json', '--local'], { encoding: 'utf8' }).stdout) as Record<
      string,
      string | null
    >;
  }
  return local[name] ?? null;
}

/**
 * Whether to skip what needs `name`, for `describe.skipIf`: says so in one loud line. Under CI=true nothing is skipped, so the tests
 * fail where they start the server.
 */
export function lacks(name: ServerName): boolean {
  if (serverPath(name) !== null || process.env.CI === 'true') return false;
  process.stderr.write(`SKIPPED: these tests need ${name}, which this machine lacks: see what "npm run servers" says\n`);
  return true;
}
