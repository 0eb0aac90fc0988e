/** Hears what terminals tell of the silences that were announced, and counts the causes that were said against it. */
import { reportDay } from '../alerts/report-days.ts';
import type { Absence } from '../fleet/absence.ts';
import { placeSample } from '../fleet/sessions.ts';
import type { Terminal } from '../fleet/terminals.ts';
import { hearEvent, hearLaterEvent, hearSample, isOfAbsence, newAbsence, toldCause } from '../rules/told.ts';
import type { FoldCore } from './core.ts';
import type { News, TerminalWatch } from './terminals.ts';

/** It has to be told of a message before presence is, which by it takes the terminal for back. */
export class Told implements TerminalWatch {
  readonly duties = { told: (key: string) => this.#judge(this.#core.state.terminals.change(key)!, key) };
  readonly #core: FoldCore;
  /** All of a terminal's site. */
  readonly #siteOf: (key: string) => Iterable<string>;

  constructor(core: FoldCore, siteOf: (key: string) => Iterable<string>) {
    this.#core = core;
    this.#siteOf = siteOf;
  }

  load(t: Readonly<Terminal>): void {
    if (t.absence) this.#core.wheel.set('told', t.key, t.absence.judgeAt);
  }

  heard(t: Terminal, key: string, news: News): void {
    if (news.facts.life) this.#noteReturn(t, key, news);
    if (t.absence) hear(t, t.absence, news);
  }

  #noteReturn(t: Terminal, key: string, { before }: News): void {
    const said = this.#saidOf(t, key);
    if (!said) return;
    if (t.absence) this.#judge(t, key);
    const { now, wheel, rules } = this.#core;
    t.absence = newAbsence(t, before, now, said, rules['terminal.offline']);
    wheel.set('told', key, t.absence.judgeAt);
  }

  /** What was said of the silence that a terminal ends now; null where there is none, or it was not announced. */
  #saidOf({ outage, presence }: Readonly<Terminal>, key: string): Pick<Absence, 'said' | 'shared'> | null {
    if (presence.gone === null) return null; // as nearly always
    const { alerts, outages } = this.#core.state;
    const alone = alerts.get(`terminal.offline ${key}`);
    if (alone) return { said: alone.cause, shared: this.#wasSiteSilent(key, presence.lifeAt!) ? 'site' : null };
    if (!outage || outage.back) return null;
    const shared = outage.key.slice(0, outage.key.indexOf(' '));
    if (outage.endedAs) return { said: outage.endedAs, shared };
    if (outages.get(outage.key)?.startsAt !== outage.startsAt) return null;
    const together = alerts.get(`outage ${outage.key}`);
    return together ? { said: together.cause, shared } : null;
  }

  /** Whether half of the others of its site were silent in the middle of its silence. */
  #wasSiteSilent(key: string, from: number): boolean {
    const { now, state } = this.#core;
    const middle = (from + now) / 2;
    let others = 0;
    let silent = 0;
    for (const other of this.#siteOf(key)) {
      const t = state.terminals.get(other)!;
      if (other === key || t.presence.counted === 'away') continue;
      others++;
      if (wasSilentAt(t, middle)) silent++;
    }
    return silent > 0 && silent * 2 >= others;
  }

  #judge(t: Terminal, key: string): void {
    const { state, wheel } = this.#core;
    const { to, said } = t.absence!;
    const truth = toldCause(t.absence!);
    const { causes } = reportDay(state.reportDays, t.acquirer, to);
    causes[`${said} ${truth}`] = (causes[`${said} ${truth}`] ?? 0) + 1;
    this.#core.count('told', truth);
    t.absence = null;
    wheel.clear('told', key);
  }
}

function hear(t: Terminal, absence: Absence, { facts: { message, note }, samples }: News): void {
  const isCurrent = note?.current ?? true;
  for (const sample of samples) {
    if (isOfAbsence(absence, sample.at, isCurrent, t)) hearSample(absence, sample, t.birth?.sim?.planBytes);
  }
  if (message?.channel !== 'event') return;
  const { at, type } = message.body;
  if (isOfAbsence(absence, placeSample(at, note?.skewMs ?? 0), isCurrent, t)) hearEvent(absence, type);
  else if (isCurrent) hearLaterEvent(absence, type, t.signs);
}

function wasSilentAt({ absence, presence }: Readonly<Terminal>, at: number): boolean {
  if (presence.gone !== null) return presence.lifeAt! <= at;
  return absence !== null && absence.from <= at && at <= absence.to;
}
