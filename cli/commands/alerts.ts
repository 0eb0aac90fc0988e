import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { Transition } from '../../protocol/alerts.ts';
import { entryFromLine } from '../../protocol/replay.ts';
import { Watch } from '../../watch/fold/watch.ts';
import { CliError, type Io } from '../io.ts';

export function alertsCommand(program: Command, io: Io): void {
  const alerts = program.command('alerts').description('what the watch makes of a log');
  alerts
    .command('replay <file>')
    .description(
      'fold a log in the replay format (a file, or - for standard input) and print the alerts it leads to, one transition a line',
    )
    .option('--json', 'one JSON document a line, for programs')
    .addHelpText('after', '\nExamples:\n  tillwatch alerts replay monday.jsonl\n  zcat monday.jsonl.gz | tillwatch alerts replay - --json')
    .action(async (file: string, options: { json?: boolean }) => {
      const show = options.json ? JSON.stringify : readable;
      for await (const transition of replay(file, io)) io.out(show(transition));
    });
}

async function* replay(file: string, io: Io): AsyncGenerator<Transition> {
  const watch = new Watch();
  let number = 0;
  for await (const line of lines(file, io)) {
    number++;
    if (line.trim() === '') continue;
    const result = entryFromLine(line);
    if (!result.ok) throw new CliError(`${file === '-' ? 'standard input' : file}, line ${number}: ${result.problem}`);
    yield* watch.step(result.entry).transitions;
  }
  yield* watch.finish().transitions;
}

async function* lines(file: string, io: Io): AsyncGenerator<string> {
  const input = file === '-' ? io.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new CliError(`there is no file ${file}`);
    throw error;
  }
}

function readable({ at, transition, alert }: Transition): string {
  const { acquirer, merchant, terminal } = alert.subject;
  const subject = [acquirer, merchant, terminal].filter((part) => part !== null).join(' / ');
  const cause = alert.cause === 'unknown' ? '' : `, cause ${alert.cause}`;
  return `${new Date(at).toISOString()}  ${transition.padEnd(8)}  ${alert.severity.padEnd(8)}  ${alert.type} ${alert.reason}${cause}  ${subject}`;
}
