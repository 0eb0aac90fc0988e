/** The part of the fold that asks for births: where it is not known who speaks, or messages of a session are missing. */
import type { Facts } from '../facts.ts';
import { currentSession, hasGap, newestGap } from '../fleet/sessions.ts';
import { intervalMs, isConnected, type Terminal } from '../fleet/terminals.ts';
import type { FoldCore } from './core.ts';
import type { News, TerminalWatch } from './terminals.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A gap counts when a later message has come and this has passed (contract, section 1). */
const GAP_MS = 5 * 60_000;
/** A terminal that gives no birth is asked after an hour, two, four and so on up to a day, and then no more: it cannot, or does not listen. */
const MOST_REQUESTS = 8;

export class Births implements TerminalWatch {
  readonly duties = { gap: (key: string) => this.#due(key) };
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  load(t: Readonly<Terminal>): void {
    this.#schedule(t);
  }

  heard(t: Terminal, _: string, { facts }: News): void {
    if (!facts.life) return;
    if (facts.message?.channel === 'birth' && facts.note?.current) t.asks = 0;
    else if (isUnknown(t, facts, this.#core.now)) this.#ask(t);
    this.#noteGap(t);
  }

  /** A gap has had its time to fill. */
  #due(key: string): void {
    const t = this.#core.state.terminals.change(key)!;
    const session = currentSession(t.sessions);
    if (session?.gap) {
      const { to } = session.gap;
      const isThere = hasGap(session, to);
      session.judgedTo = to;
      delete session.gap;
      if (isThere) this.#core.count('session', 'gap');
      if (isThere && isConnected(t)) this.#ask(t);
    }
    this.#noteGap(t);
  }

  #noteGap(t: Terminal): void {
    const session = currentSession(t.sessions);
    const to = session && !session.gap ? newestGap(session) : undefined;
    if (!session || to === undefined) return;
    session.gap = { at: this.#core.now, to };
    this.#schedule(t);
  }

  #schedule(t: Readonly<Terminal>): void {
    const gap = currentSession(t.sessions)?.gap;
    this.#core.wheel.set('gap', t.key, gap ? gap.at + GAP_MS : Number.POSITIVE_INFINITY);
  }

  #ask(t: Terminal): void {
    const { now } = this.#core;
    const { asks, askedAt } = t;
    const wait = Math.min(HOUR_MS * 2 ** Math.max(0, asks - 1), DAY_MS);
    if (asks >= MOST_REQUESTS || (askedAt !== null && now - askedAt < wait)) return;
    t.askedAt = now;
    t.asks = asks + 1;
    this.#core.askRebirth(t);
  }
}

/**
 * Whether a message comes from somebody whose birth was not seen. One of a session that is not the current one may be a backlog: then
 * the current one is heard beside it.
 */
function isUnknown(t: Readonly<Terminal>, { message, note }: Facts, now: number): boolean {
  const current = currentSession(t.sessions);
  if (t.birth === null && !current?.born) return true;
  if (!note || note.born || (message?.channel !== 'report' && message?.channel !== 'event')) return false;
  return note.current || (current !== undefined && now - current.heardAt > 2 * intervalMs(t));
}
