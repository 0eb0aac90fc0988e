/** What a silence was, by what the terminal tells once it is back: the truth that the cause of its alert is held against. */
import type { Message } from '../../protocol/schemas/messages.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import type { Absence, Word } from '../fleet/absence.ts';
import { LOW_BATTERY } from '../fleet/signs.ts';
import { intervalMs, type Signs, type Terminal } from '../fleet/terminals.ts';
import { poorest } from './causes.ts';
import type { OfflineRules } from './defaults.ts';

const MINUTE_MS = 60_000;

/** What the silence of a terminal that is heard again begins with: its last words before it. */
export function newAbsence(
  t: Readonly<Terminal>,
  last: Sample | null,
  at: number,
  of: Pick<Absence, 'said' | 'shared'>,
  rules: OfflineRules,
): Absence {
  const from = t.presence.lifeAt!;
  const hadMains = last?.power?.mains === true || t.signs?.mainsLost !== undefined;
  return {
    from,
    to: at,
    ...of,
    judgeAt: at + rules.toldMinutes * MINUTE_MS,
    lastWords: lastWords(t, from, rules),
    words: [],
    samples: 0,
    signals: 0,
    poor: 0,
    hadMains,
    batteries: null,
  };
}

function lastWords({ signs, presence }: Readonly<Terminal>, from: number, rules: OfflineRules): Word[] {
  const { shutdown, updating, batteryLow, mainsLost, planUsedUp }: Signs = signs ?? {};
  const words: Word[] = [];
  if (shutdown !== undefined || presence.goodbyeAt !== null) words.push('shutdown');
  if (updating !== undefined && from - updating <= rules.updateMinutes * MINUTE_MS) words.push('update');
  if (batteryLow !== undefined || mainsLost !== undefined) words.push('power');
  if (planUsedUp !== undefined) words.push('plan');
  return words;
}

/**
 * Whether something that came after the return is of the silence, by its place in time. What the session that is current now says of
 * the last moments before the return is of the present.
 */
export function isOfAbsence({ from, to }: Readonly<Absence>, at: number, isCurrent: boolean, t: Readonly<Terminal>): boolean {
  return at > from && at < (isCurrent ? to - intervalMs(t) / 2 : to);
}

/** Takes in a sample that was taken during the silence. */
export function hearSample(absence: Absence, { signal, power, sim }: Sample, planBytes: number | undefined): void {
  absence.samples++;
  if (signal?.rat !== undefined) {
    absence.signals++;
    if (poorest(signal)) absence.poor++;
  }
  if (power?.mains === false && power.battery !== undefined) {
    absence.batteries = [absence.batteries?.[0] ?? power.battery, power.battery];
  }
  if (planBytes !== undefined && sim?.usedBytes !== undefined && sim.usedBytes >= planBytes) hear(absence, 'plan');
}

type EventType = Extract<Message, { channel: 'event' }>['body']['type'];

const WORD_OF: Partial<Record<EventType, Word>> = {
  shutdown: 'shutdown',
  'update.started': 'update',
  'update.finished': 'update',
  'power.low': 'power',
  'power.mains_lost': 'power',
  'power.mains_back': 'power',
};

/** Takes in an event of the silence. */
export function hearEvent(absence: Absence, type: EventType): void {
  const word = WORD_OF[type];
  if (word) hear(absence, word);
}

/** What some events say is over. */
const ENDED: Partial<Record<EventType, keyof Signs>> = { 'power.mains_back': 'mainsLost', 'update.finished': 'updating' };

/** Takes in an event that came after the return: only what says that something is over is of the silence, unless it began after it. */
export function hearLaterEvent(absence: Absence, type: EventType, signs: Readonly<Signs> | null): void {
  const ended = ENDED[type];
  if (ended && (signs?.[ended] ?? 0) <= absence.to) hearEvent(absence, type);
}

function hear({ words }: Absence, word: Word): void {
  if (!words.includes(word)) words.push(word);
}

/** `unknown` where it told nothing to go by. Of an outage the cause may be what its members share. */
export function toldCause(absence: Readonly<Absence>): string {
  return absence.samples === 0 ? whyItWasOff(absence) : whyItWasUnheard(absence);
}

/** It took no samples: it was off, and its words say why. */
function whyItWasOff(absence: Readonly<Absence>): string {
  if (says(absence, 'shutdown')) return 'switched_off';
  if (says(absence, 'update')) return 'update';
  return says(absence, 'power') ? 'power' : 'unknown';
}

/**
 * It ran, and could not be heard. Somebody may have restarted it meanwhile, so a shutdown explains nothing here; nor do mains that had
 * gone before, while it still reported.
 */
function whyItWasUnheard(absence: Readonly<Absence>): string {
  const { words, signals, poor, shared } = absence;
  if (ranDown(absence) || words.includes('power')) return 'power';
  if (says(absence, 'plan')) return 'sim_data';
  if (poor > 0 && poor * 2 >= signals) return 'radio';
  if (says(absence, 'update')) return 'update';
  return (signals > 0 && shared) || 'unknown';
}

function says({ lastWords, words }: Readonly<Absence>, word: Word): boolean {
  return lastWords.includes(word) || words.includes(word);
}

/** A device that always runs on its battery has lost nothing while the battery holds. */
function ranDown({ batteries, hadMains }: Readonly<Absence>): boolean {
  if (!batteries) return false;
  const [first, last] = batteries;
  return last < first && (hadMains || last < LOW_BATTERY);
}
