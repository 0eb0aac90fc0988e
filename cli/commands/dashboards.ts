import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Dashboard, readDashboard } from '../../dashboards/grafana/check/dashboard.ts';
import { type Ask, type InfluxAccess, openInflux } from '../../dashboards/grafana/check/influx.ts';
import { type Finding, runDashboard } from '../../dashboards/grafana/check/run.ts';
import { structureProblems } from '../../dashboards/grafana/check/structure.ts';
import { shippedFiles } from '../../dashboards/grafana/shipped.ts';
import { parseTerminalKey } from '../../protocol/topics.ts';
import { readSettings } from '../config.ts';
import { CliError, type Io, unreadable } from '../io.ts';

const DEFAULT_OUT = './tillwatch-grafana';

export function dashboardsCommand(program: Command, io: Io): void {
  const dashboards = program.command('dashboards').description('the dashboards for Grafana');
  dashboards
    .command('build')
    .description('write the dashboards and their provisioning, for Grafana to read')
    .option('--out <folder>', 'where to', DEFAULT_OUT)
    .option('--json', 'what was written as JSON')
    .addHelpText('after', '\nExamples:\n  tillwatch dashboards build\n  tillwatch dashboards build --out /srv/grafana')
    .action(async ({ out, json }: { out: string; json?: boolean }) => {
      const files = Object.entries(await shippedFiles()).map(([name, text]) => ({ path: join(out, name), text }));
      for (const { path, text } of files) await writeReadable(path, text);
      const paths = files.map(({ path }) => path);
      for (const line of json ? [JSON.stringify(paths)] : paths) io.out(line);
    });
  dashboards
    .command('check [folder]')
    .description(
      'check that what the dashboards name exists; where INFLUX_URL is set, run every query and see that it brings what its panel shows',
    )
    .option('--terminal <key>', 'the terminal to show, ACQUIRER/SN; default: the first that InfluxDB names')
    .option('--json', 'what was found as JSON')
    .addHelpText(
      'after',
      `\nWithout a folder it checks what comes with the product; else what "dashboards build" wrote there, and you changed since.

Examples:
  tillwatch dashboards check
  INFLUX_URL=http://127.0.0.1:8086 INFLUX_TOKEN_FILE=./token tillwatch dashboards check --terminal acme/SN000001`,
    )
    .action(check(io));
}

interface CheckOptions {
  terminal?: string;
  json?: boolean;
}

function check(io: Io) {
  return async (folder: string | undefined, { terminal, json }: CheckOptions) => {
    const pinned = terminal === undefined ? {} : terminalOf(terminal);
    const { influx } = readSettings(io.env);
    const dashboards = read(folder === undefined ? await shippedFiles() : await filesIn(folder));
    const structure = structureProblems(dashboards);
    const findings: Finding[] = [];
    if (influx) {
      const setting = { ask: await reachable(influx), bucket: influx.bucket, org: influx.org, now: Date.now(), pinned };
      for (const dashboard of dashboards) findings.push(...(await runDashboard(dashboard, setting)));
    } else io.say('the queries were not run: set INFLUX_URL and INFLUX_TOKEN to run them too');
    if (json) io.out(JSON.stringify({ dashboards: dashboards.map(({ uid }) => uid), structure, findings: influx ? findings : null }));
    else show(dashboards, structure, findings, io);
    const wrong = structure.length + findings.filter(({ outcome }) => outcome === 'wrong').length;
    if (wrong > 0) throw new CliError(`${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong with the dashboards`);
  };
}

/** One line for an InfluxDB that answers nobody, in place of one for each query. Errors: CliError. */
async function reachable(influx: InfluxAccess): Promise<Ask> {
  const ask = openInflux(influx);
  await ask('import "array"\narray.from(rows: [{_value: 1}])').catch((error: Error & { code?: string }) => {
    const why = error.message || error.code;
    throw new CliError(`InfluxDB at ${influx.url} answers no query (${why}): check INFLUX_URL, INFLUX_TOKEN and INFLUX_ORG`);
  });
  return ask;
}

function show(dashboards: readonly Dashboard[], structure: readonly string[], findings: readonly Finding[], io: Io): void {
  for (const { uid, panels } of dashboards) {
    if (!structure.some((problem) => problem.startsWith(`${uid}: `)))
      io.out(`ok      ${uid}: ${panels.length} panels, all that they name exists`);
  }
  for (const problem of structure) io.out(`wrong   ${problem}`);
  for (const { dashboard, panel, variable, outcome, detail } of findings) {
    const what = panel === undefined ? `variable "${variable}"` : `panel "${panel}"`;
    io.out(`${outcome.padEnd(6)}  ${dashboard}: ${what}: ${detail}`);
  }
}

function read(files: Readonly<Record<string, string>>): Dashboard[] {
  const names = Object.keys(files).filter((name) => name.startsWith('dashboards/') && name.endsWith('.json'));
  return names.map((name) => {
    const dashboard = readDashboard(files[name]!);
    if (!dashboard.ok) throw new CliError(`${name}: ${dashboard.problem}`);
    return dashboard.value;
  });
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const inner = join(folder, 'dashboards');
  const names = (await readdir(inner).catch((error) => Promise.reject(unreadable(inner, error)))).filter((name) => name.endsWith('.json'));
  if (names.length === 0) throw new CliError(`there is no dashboard in ${inner}: write them there with "tillwatch dashboards build"`);
  const texts = names.sort().map(async (name) => [`dashboards/${name}`, await readFile(join(inner, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

function terminalOf(key: string): { acquirer: string; sn: string } {
  const terminal = parseTerminalKey(key);
  if (terminal === undefined) throw new CliError(`--terminal: "${key}" is no terminal: write ACQUIRER/SN, such as acme/SN000001`, 2);
  return { acquirer: terminal.acquirer, sn: terminal.sn };
}

/** Grafana runs as another user, and these files hold no secret. */
async function writeReadable(path: string, text: string): Promise<void> {
  try {
    await mkdirReadable(dirname(path));
    await writeFile(path, text);
    await chmod(path, 0o644);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(`${path} cannot be written (${code ?? message}): give another folder with --out`);
  }
}

async function mkdirReadable(path: string): Promise<void> {
  const folder = resolve(path);
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}
