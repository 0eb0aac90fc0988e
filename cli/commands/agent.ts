import type { Command } from 'commander';
import { AGENT_SETTINGS, type AgentConfig, agentConfigFromEnv } from '../../agent/config.ts';
import { runAgent, runOnce, systemDeps } from '../../agent/run.ts';
import { CliError, type Io } from '../io.ts';

/** Flags that stand over the environment's settings. The token has none: it would be seen in the list of processes. */
const FLAGS: Partial<Record<keyof AgentConfig, [flag: string, help: string]>> = {
  address: ['--url <url>', 'the broker: mqtt://host:port or mqtts://host:port'],
  acquirer: ['--acquirer <code>', 'the acquirer'],
  sn: ['--sn <serial>', 'the serial number'],
  outbox: ['--outbox <folder>', 'where messages are kept until they are acknowledged'],
  interval: ['--interval <seconds>', 'seconds between reports'],
  merchant: ['--merchant <name>', 'the merchant'],
  site: ['--site <name>', 'the site'],
  trace: ['--trace <file>', 'a recorded radio trace (CSV) to play'],
  speed: ['--speed <x>', 'how fast a trace plays: 1 is real time, 0 as fast as possible'],
  traceStart: ['--trace-start <time>', 'shift the trace to begin then: "now", epoch milliseconds or an ISO time'],
};

export function agentCommand(program: Command, io: Io): void {
  const agent = program.command('agent').description('the agent that runs on a terminal');
  add(
    agent,
    'run',
    'report until stopped',
    async (config, signal) => {
      await runAgent(config, systemDeps(signal, io.say));
    },
    io,
  );
  add(
    agent,
    'once',
    'send what there is, wait until it is acknowledged, and end',
    async (config, signal) => {
      const result = await runOnce(config, systemDeps(signal, io.say));
      if (!result.ok) throw new CliError(result.error.message);
      io.say(`${result.sent} messages acknowledged`);
    },
    io,
  );
}

function add(
  agent: Command,
  name: string,
  description: string,
  run: (config: AgentConfig, signal: AbortSignal) => Promise<void>,
  io: Io,
): void {
  const command = agent.command(name).description(description);
  for (const [flag, help] of Object.values(FLAGS)) command.option(flag, help);
  command.addHelpText(
    'after',
    `\nExamples:\n  tillwatch agent ${name} --url mqtt://127.0.0.1:1883 --acquirer acme --sn SN000001\n\nSettings, from the environment:\n${Object.values(
      AGENT_SETTINGS,
    )
      .map((n) => `  ${n}`)
      .join('\n')}\n  TILLWATCH_AGENT_TOKEN_FILE`,
  );
  command.action(async (options: Record<string, string>) => {
    const config = agentConfigFromEnv({ ...io.env, ...flagsAsEnv(options) });
    if (!config.ok) throw new CliError(config.problems.join('\n'));
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    await run(config.value, stop.signal);
  });
}

function flagsAsEnv(options: Record<string, string>): Record<string, string> {
  const given = (Object.keys(FLAGS) as (keyof AgentConfig)[]).flatMap((key) => {
    const value = options[key === 'address' ? 'url' : key];
    return value === undefined ? [] : [[AGENT_SETTINGS[key], value]];
  });
  return Object.fromEntries(given);
}
