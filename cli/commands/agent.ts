import type { Command } from 'commander';
import { AGENT_DEFAULTS, AGENT_SETTINGS, type AgentConfig, agentConfigFromEnv } from '../../agent/config.ts';
import { runAgent, runOnce, systemDeps } from '../../agent/run.ts';
import { CliError, type Io } from '../io.ts';
import { counted } from '../lines.ts';

/**
 * What each setting is, and the flag that stands over it. The token has none: it would be seen in the list of processes.
 */
export const AGENT_HELP: Readonly<Record<keyof AgentConfig, { flag?: string; help: string }>> = {
  address: { flag: '--url <url>', help: 'the broker: mqtt://host:port or mqtts://host:port' },
  acquirer: { flag: '--acquirer <code>', help: 'the acquirer' },
  sn: { flag: '--sn <serial>', help: 'the serial number' },
  token: { help: 'what "tillwatch enroll" prints' },
  outbox: {
    flag: '--outbox <folder>',
    help: 'the folder in which messages are kept until they are acknowledged, each terminal in one of its own',
  },
  interval: { flag: '--interval <seconds>', help: 'seconds between reports' },
  keepalive: { help: "seconds, the connection's keepalive" },
  merchant: { flag: '--merchant <name>', help: 'the merchant' },
  site: { flag: '--site <name>', help: 'the site' },
  tid: { help: 'the terminal id' },
  model: { help: 'the model' },
  trace: { flag: '--trace <file>', help: 'a recorded radio trace (CSV) to play, as docs/reporting.md describes it' },
  speed: { flag: '--speed <x>', help: 'how fast a trace plays: 1 is real time, 0 as fast as possible' },
  traceStart: {
    flag: '--trace-start <time>',
    help: 'shift the trace to begin then: "now", epoch milliseconds or an ISO time; without it samples keep their times',
  },
};

/** The default of a setting, as text; blank where it has none. */
export function agentDefault(key: keyof AgentConfig): string {
  return key in AGENT_DEFAULTS ? String(AGENT_DEFAULTS[key as keyof typeof AGENT_DEFAULTS]) : '';
}

function described(key: keyof AgentConfig): string {
  const byDefault = agentDefault(key);
  return AGENT_HELP[key].help + (byDefault === '' ? '' : ` (${byDefault})`);
}

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
      io.say(`${counted(result.sent, 'message')} acknowledged`);
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
  const names = Object.keys(AGENT_HELP) as (keyof AgentConfig)[];
  for (const name of names) if (AGENT_HELP[name].flag) command.option(AGENT_HELP[name].flag, described(name));
  const width = Math.max(...names.map((key) => AGENT_SETTINGS[key].length));
  const settings = names.map((key) => `  ${AGENT_SETTINGS[key].padEnd(width)}  ${described(key)}`).join('\n');
  command.addHelpText(
    'after',
    `\nExamples:\n  tillwatch agent ${name} --url mqtt://127.0.0.1:1883 --acquirer acme --sn SN000001\n\nSettings, from the environment; the token may be given as a file, in TILLWATCH_AGENT_TOKEN_FILE:\n${settings}`,
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
  const given = (Object.keys(AGENT_HELP) as (keyof AgentConfig)[]).flatMap((key) => {
    const value = AGENT_HELP[key].flag === undefined ? undefined : options[key === 'address' ? 'url' : key];
    return value === undefined ? [] : [[AGENT_SETTINGS[key], value]];
  });
  return Object.fromEntries(given);
}
