import { type Agent, type AgentDeps, assemble, shutDown, type Watcher } from './assemble.ts';
import type { AgentConfig } from './config.ts';
import { AgentError } from './errors.ts';
import { systemTimers } from './timers.ts';
import { brokerUrl } from './uplink/address.ts';
import type { Ending } from './uplink/connection.ts';
import { troubleOf } from './uplink.ts';

export type { AgentDeps } from './assemble.ts';

/** How long a clean stop waits for acknowledgements, and then for that of its goodbye. */
const STOP_LIMIT_MS = 5_000;
/** `once` gives up when for so long nothing was acknowledged although something waits. */
const ONCE_LIMIT_MS = 30_000;

/** `sent`: how many messages were acknowledged. */
export type OnceResult = { ok: true; sent: number } | { ok: false; error: AgentError };

/** The real clock, timers and chance. */
export function systemDeps(signal: AbortSignal, log: (line: string) => void): AgentDeps {
  return { now: Date.now, random: Math.random, timers: systemTimers, log, signal };
}

/** Runs until the signal aborts, and stops cleanly. Errors: AgentError where it cannot start; a broker out of reach is waited for. */
export async function runAgent(config: AgentConfig, deps: AgentDeps): Promise<void> {
  const agent = await assemble(config, deps, 'run', {
    ...nobody(),
    onEnding: (ending, isNew) => {
      if (isNew) deps.log(`${troubleOf(config.address, ending).message}; trying again`);
    },
  });
  agent.intake.start();
  agent.uplink.start();
  await aborted(deps.signal);
  await shutDown(agent, STOP_LIMIT_MS);
}

/**
 * Connects, sends what the probe has to tell (a trace to its end, else one sample) and what the outbox holds, waits until all of it is
 * acknowledged, and says goodbye. The probe is read once there is a connection. Rejects on nothing that the agent knows to go wrong.
 */
export async function runOnce(config: AgentConfig, deps: AgentDeps): Promise<OnceResult> {
  try {
    const watcher = nobody();
    const agent = await assemble(config, deps, 'once', watcher);
    const outcome = await outcomeOf(agent, watcher, config, deps);
    await shutDown(agent, outcome === 'done' ? STOP_LIMIT_MS : 0);
    if (outcome === 'done') return { ok: true, sent: agent.uplink.acknowledged };
    return { ok: false, error: outcome === 'stopped' ? stopped(agent) : outcome };
  } catch (error) {
    if (error instanceof AgentError) return { ok: false, error };
    throw error;
  }
}

/** What it leaves unsent, counted after it has stopped. */
function stopped({ outbox }: Agent): AgentError {
  const kept = `messages that are kept in the outbox ${outbox.dir}: ${outbox.size}`;
  return new AgentError('stopped', outbox.size > 0 ? kept : `${kept}; the rest had not been read`);
}

type Outcome = 'done' | 'stopped' | AgentError;

/** Starts the agent, and resolves when all is acknowledged, when it is to stop, or with why all will not be acknowledged. */
async function outcomeOf(agent: Agent, watcher: Watcher, config: AgentConfig, deps: AgentDeps): Promise<Outcome> {
  const { outbox, intake, uplink } = agent;
  let connected = false;
  let lastEnding: Ending = { reason: 'no answer' };
  let allRead = false;
  let settled = false;
  let cancel = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    const expire = () => {
      if (!connected) resolve(troubleOf(config.address, lastEnding));
      else if (outbox.size > 0)
        resolve(new AgentError('unacknowledged', `${brokerUrl(config.address)}: messages that wait: ${outbox.size}`));
      else expectProgress();
    };
    const expectProgress = () => {
      cancel();
      if (settled) return;
      cancel = deps.timers.set(ONCE_LIMIT_MS, expire);
      if (allRead && outbox.size === 0) resolve('done');
    };
    watcher.onConnected = () => {
      connected = true;
      intake.start();
      expectProgress();
    };
    watcher.onAcknowledged = expectProgress;
    watcher.onEnding = (ending, isNew) => {
      connected = false;
      lastEnding = ending;
      const trouble = troubleOf(config.address, ending);
      if (!trouble.retry) resolve(trouble);
      else if (isNew) deps.log(`${trouble.message}; trying again, until ${ONCE_LIMIT_MS / 1000} s have brought nothing`);
    };
    intake.done.then(() => {
      allRead = true;
      expectProgress();
    }, resolve);
    aborted(deps.signal).then(() => resolve('stopped'));
    expectProgress();
  });
  uplink.start();
  return outcome.finally(() => {
    settled = true;
    cancel();
  });
}

function nobody(): Watcher {
  return { onConnected: () => {}, onAcknowledged: () => {}, onEnding: () => {} };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
