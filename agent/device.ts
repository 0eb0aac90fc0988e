/** The entry of the bundle for a device: `run` (default) or `once`; settings come from the environment. Exit 0 done, 1 failed, 2 usage. */
import { agentConfigFromEnv } from './config.ts';
import { AgentError } from './errors.ts';
import { runAgent, runOnce, systemDeps } from './run.ts';

async function main(command: string): Promise<number> {
  if (command !== 'run' && command !== 'once') return complain(2, [`there is no command ${command}: use run or once`]);
  const config = agentConfigFromEnv(process.env);
  if (!config.ok) return complain(1, config.problems);
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  const deps = systemDeps(stop.signal, (line) => console.error(line));
  if (command === 'once') {
    const result = await runOnce(config.value, deps);
    return result.ok ? 0 : complain(1, [result.error.message]);
  }
  await runAgent(config.value, deps);
  return 0;
}

function complain(exitCode: number, lines: readonly string[]): number {
  for (const line of lines) console.error(line);
  return exitCode;
}

process.exitCode = await main(process.argv[2] ?? 'run').catch((error: unknown) => {
  if (error instanceof AgentError) return complain(1, [error.message]);
  throw error;
});
