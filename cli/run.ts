import { Command, CommanderError } from 'commander';
import { agentCommand } from './commands/agent.ts';
import { alertsCommand } from './commands/alerts.ts';
import { dashboardsCommand } from './commands/dashboards.ts';
import { demoCommand } from './commands/demo.ts';
import { enrollCommands } from './commands/enroll.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { logCommand } from './commands/log.ts';
import { quarantineCommand } from './commands/quarantine.ts';
import { serveCommands } from './commands/serve.ts';
import { simulateCommand } from './commands/simulate.ts';
import { webhookCommand } from './commands/webhook.ts';
import { CliError, type Io } from './io.ts';
import { ownVersion } from './self.ts';

const COMMANDS = [
  demoCommand,
  serveCommands,
  importCommand,
  enrollCommands,
  keysCommand,
  alertsCommand,
  webhookCommand,
  quarantineCommand,
  logCommand,
  agentCommand,
  simulateCommand,
  dashboardsCommand,
];

/** Runs one command line. Resolves with the exit code: 0 done, 1 failed, 2 used wrongly. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const program = new Command('tillwatch')
    .description('Watches a fleet of POS terminals and warns before something stops them taking payments')
    .version(ownVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.say(text.trimEnd()) });
  for (const command of COMMANDS) command(program, io);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    io.say(`tillwatch: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}
