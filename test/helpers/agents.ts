/**
 * Many agents in one process, as they run on terminals: started with settings as JSON in its standard input, stopped by SIGTERM. It says
 * `ready` once all run.
 */
import { setMaxListeners } from 'node:events';
import { text } from 'node:stream/consumers';
import type { AgentConfig } from '../../agent/config.ts';
import { runAgent, systemDeps } from '../../agent/run.ts';

const configs = JSON.parse(await text(process.stdin)) as AgentConfig[];
const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.once('SIGTERM', () => stop.abort());
const running = configs.map((config) =>
  runAgent(
    config,
    systemDeps(stop.signal, () => {}),
  ),
);
console.log('ready');
await Promise.all(running);
