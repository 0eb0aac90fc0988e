import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../../collector/app/clock.ts';
import { importOffline } from '../../collector/app/offline.ts';
import { type BadRow, type ImportFile, type ImportReport, readImport } from '../../collector/import/csv.ts';
import { readSettings } from '../config.ts';
import { ApiError, runningApi } from '../installation.ts';
import { CliError, type Io, unreadable } from '../io.ts';
import { counted } from '../lines.ts';
import { openDataDir } from '../parts.ts';

/** A large registry is read, made durable and folded before the answer. */
const IMPORT_WITHIN_MS = 240_000;

export function importCommand(program: Command, io: Io): void {
  program
    .command('import <path...>')
    .description(
      'take in the registry: merchants.csv, terminals.csv, scopes.csv, models.csv, or a folder with some of them; all of it or nothing',
    )
    .option('--json', 'the report as JSON')
    .addHelpText('after', '\nExamples:\n  tillwatch import ./registry\n  tillwatch import merchants.csv terminals.csv')
    .action(async (given: string[], options: { json?: boolean }) => {
      const files = (await Promise.all(given.map(filesAt))).flat();
      const result = readImport(files);
      if (!result.ok) throw badRows(result.problems);
      const settings = readSettings(io.env);
      const ask = await runningApi(settings, IMPORT_WITHIN_MS);
      if (ask) await ask('POST', '/v1/imports', { files }).catch(explain);
      else {
        const paths = await openDataDir(settings);
        await importOffline({ paths, changes: result.changes, clock: systemClock, id: randomBytes(12).toString('hex') });
      }
      show(result.report, options, io);
    });
}

async function filesAt(path: string): Promise<ImportFile[]> {
  const about = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new CliError(`there is no file or folder ${path}`) : unreadable(path, error);
  });
  if (!about.isDirectory()) return [await fileAt(path)];
  const names = (await readdir(path).catch((error) => Promise.reject(unreadable(path, error))))
    .filter((name) => name.endsWith('.csv'))
    .sort();
  if (names.length === 0) throw new CliError(`there is no .csv file in ${path}`);
  return Promise.all(names.map((name) => fileAt(join(path, name))));
}

async function fileAt(path: string): Promise<ImportFile> {
  const text = await readFile(path, 'utf8').catch((error) => Promise.reject(unreadable(path, error)));
  return { name: basename(path), text };
}

function explain(error: unknown): never {
  throw error instanceof ApiError && error.rows.length > 0 ? badRows(error.rows) : error;
}

function badRows(problems: readonly BadRow[]): CliError {
  const lines = problems.map(({ file, row, problem }) => `  ${file}${row > 0 ? `, row ${row}` : ''}: ${problem}`);
  return new CliError(`nothing was imported\n${lines.join('\n')}`);
}

function show({ rows, notes }: ImportReport, { json }: { json?: boolean }, io: Io): void {
  if (json) return io.out(JSON.stringify({ rows, notes }));
  for (const [table, count] of Object.entries(rows)) io.out(`${table}: ${counted(count, 'row')}`);
  for (const note of notes) io.out(`note: ${note}`);
}
