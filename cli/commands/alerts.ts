import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { Transition } from '../../protocol/alerts.ts';
import { entryFromLine } from '../../protocol/replay.ts';
import { Watch } from '../../watch/fold/watch.ts';
import type { Rules } from '../../watch/rules/defaults.ts';
import { CliError, type Io, unreadable } from '../io.ts';
import { alertLine } from '../lines.ts';
import { readRulesFile } from '../rules.ts';

export function alertsCommand(program: Command, io: Io): void {
  const alerts = program.command('alerts').description('what the watch makes of a log');
  alerts
    .command('replay <file>')
    .description(
      'fold a log in the replay format (a file, or - for standard input) and print the alerts it leads to, one transition a line',
    )
    .option('--rules <file>', 'begin with the rules of this file, JSON')
    .option('--json', 'one JSON document a line, for programs')
    .addHelpText('after', '\nExamples:\n  tillwatch alerts replay monday.jsonl\n  zcat monday.jsonl.gz | tillwatch alerts replay - --json')
    .action(async (file: string, options: { json?: boolean; rules?: string }) => {
      const show = options.json ? JSON.stringify : readable;
      const watch = new Watch(rulesOf(options.rules));
      for await (const transition of replay(file, watch, io)) io.out(show(transition));
    });
}

function rulesOf(path: string | undefined): Rules | undefined {
  if (path === undefined) return undefined;
  const read = readRulesFile(path);
  if (!read.ok) throw new CliError(read.problems.join('\n'));
  return read.value.rules;
}

async function* replay(file: string, watch: Watch, io: Io): AsyncGenerator<Transition> {
  let number = 0;
  for await (const line of lines(file, io)) {
    number++;
    if (line.trim() === '') continue;
    const result = entryFromLine(line);
    if (!result.ok) throw new CliError(`${nameOf(file)}, line ${number}: ${result.problem}`);
    yield* watch.step(result.entry).transitions;
  }
  yield* watch.finish().transitions;
}

async function* lines(file: string, io: Io): AsyncGenerator<string> {
  const input = file === '-' ? io.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw unreadable(nameOf(file), error);
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function readable({ at, transition, alert }: Transition): string {
  return `${new Date(at).toISOString()}  ${alertLine(transition, alert)}`;
}
