import { join } from 'node:path';
import type { AgentConfig } from './config.ts';
import { Intake } from './intake.ts';
import { Outbox } from './outbox.ts';
import { linkProbe } from './probes/link.ts';
import type { Probe } from './probes/probe.ts';
import { openTrace } from './probes/trace.ts';
import { newSession } from './sessions.ts';
import type { Timers } from './timers.ts';
import type { Ending } from './uplink/connection.ts';
import { LinkMeter } from './uplink/meter.ts';
import { Uplink } from './uplink.ts';

export interface AgentDeps {
  /** Epoch milliseconds. */
  now: () => number;
  /** From 0 to below 1. */
  random: () => number;
  timers: Timers;
  /** One line for people, without an end of line. */
  log: (line: string) => void;
  /** Stops cleanly when aborted. */
  signal: AbortSignal;
}

/** What the parts tell of the connection. */
export interface Watcher {
  onConnected: () => void;
  onAcknowledged: () => void;
  /** `isNew`: not the same as the last one. */
  onEnding: (ending: Ending, isNew: boolean) => void;
}

/** The parts, put together and not yet started. */
export interface Agent {
  outbox: Outbox;
  probe: Probe;
  intake: Intake;
  uplink: Uplink;
}

/** How long the agent is to tell of itself: until it is stopped, or one sample. A trace is played to its end either way. */
export type Mode = 'run' | 'once';

/** Errors: AgentError `trace_unreadable`, `outbox_locked`, `outbox_failed`. */
export async function assemble(config: AgentConfig, deps: AgentDeps, mode: Mode, watcher: Watcher): Promise<Agent> {
  const meter = new LinkMeter(deps.now);
  const probe = await probeFor(config, deps, mode, meter);
  const outbox = await openOutbox(config, deps).catch(async (error) => {
    await probe.close();
    throw error;
  });
  const intake: Intake = new Intake({
    ...deps,
    probe,
    outbox,
    session: newSession(deps.now(), deps.random),
    intervalSeconds: config.interval,
    onStored: () => uplink.wake(),
  });
  const uplink = connectable(config, deps, watcher, { meter, outbox, intake });
  return { outbox, probe, intake, uplink };
}

/** What was read is kept, the goodbye said, and the folder free for another agent. */
export async function shutDown({ outbox, probe, intake, uplink }: Agent, limitMs: number): Promise<void> {
  await intake.stop();
  await uplink.stop(limitMs);
  await probe.close();
  await outbox.close();
}

async function probeFor(config: AgentConfig, { now, log }: AgentDeps, mode: Mode, meter: LinkMeter): Promise<Probe> {
  const { trace, traceStart, speed, interval } = config;
  if (trace === undefined) return linkProbe(mode === 'once' ? null : interval, () => meter.take(), now);
  const startAt = traceStart === 'now' ? now() : traceStart;
  return openTrace({ path: trace, speed, now: now(), log, ...(startAt === undefined ? {} : { startAt }) });
}

/** Each terminal has a folder of its own: what one has sampled must never be sent as another's. */
async function openOutbox({ outbox: dir, acquirer, sn }: AgentConfig, { log }: AgentDeps): Promise<Outbox> {
  const outbox = await Outbox.open({
    dir: join(dir, acquirer, sn),
    onDropped: (n) => log(`the outbox is full: its ${n} oldest messages were dropped unsent`),
  });
  if (outbox.cutBytes > 0) log(`the outbox was torn by a crash: ${outbox.cutBytes} bytes of unfinished messages were cut`);
  if (outbox.size > 0) log(`messages from before in the outbox: ${outbox.size}`);
  return outbox;
}

function connectable(config: AgentConfig, deps: AgentDeps, watcher: Watcher, parts: { meter: LinkMeter; outbox: Outbox; intake: Intake }) {
  const { address, acquirer, sn, token, merchant, site, tid, model, interval, keepalive } = config;
  const { meter, outbox, intake } = parts;
  return new Uplink({
    ...deps,
    address,
    terminal: { acquirer, sn },
    token,
    identity: { merchant, site, tid, model, interval, keepalive },
    outbox,
    meter,
    onSession: (session) => {
      const boundaryId = intake.begin(session);
      watcher.onConnected();
      return boundaryId;
    },
    onReportNow: () => intake.reportNow(),
    onAnswer: (ack) => intake.answer(ack),
    onAcknowledged: () => {
      intake.wake();
      watcher.onAcknowledged();
    },
    onEnding: (ending, isNew) => watcher.onEnding(ending, isNew),
  });
}
