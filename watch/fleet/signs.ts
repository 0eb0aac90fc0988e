/** What a terminal told of itself that could explain a silence: kept from what it says while it is there, for the time when it is not. */
import type { Message } from '../../protocol/schemas/messages.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import type { Signs, Terminal } from './terminals.ts';

/** Below this a battery explains a silence; from `CHARGED` on it does not any more. */
export const LOW_BATTERY = 0.1;
const CHARGED = 0.15;

type Event = Extract<Message, { channel: 'event' }>['body'];

/** Takes in an event of the present. */
export function noteEvent(t: Terminal, { type, data }: Event, at: number): void {
  switch (type) {
    case 'power.low':
      return begin(t, 'batteryLow', at);
    case 'power.mains_lost':
      begin(t, 'mainsLost', at);
      if (data?.battery !== undefined && data.battery < LOW_BATTERY) begin(t, 'batteryLow', at);
      return;
    case 'power.mains_back':
      end(t, 'mainsLost');
      return end(t, 'batteryLow');
    case 'update.started':
      return begin(t, 'updating', at);
    case 'update.finished':
      return end(t, 'updating');
    case 'shutdown':
      return begin(t, 'shutdown', at);
    default:
      return;
  }
}

/** Takes in a sample of the present; `before` is the one before it. */
export function noteSample(t: Terminal, { power, sim }: Sample, before: Sample | null, at: number): void {
  if (power) notePower(t, power, before?.power?.mains, at);
  const plan = t.birth?.sim?.planBytes;
  if (sim?.usedBytes === undefined || plan === undefined) return;
  if (sim.usedBytes >= plan) begin(t, 'planUsedUp', at);
  else end(t, 'planUsedUp');
}

/** A birth means that it is up: what ended with its last session is over. */
export function noteBirth(t: Terminal): void {
  end(t, 'shutdown');
}

/** A device that always runs on its battery has lost nothing: mains are lost by those that had them. */
function notePower(t: Terminal, { battery, mains }: NonNullable<Sample['power']>, hadMains: boolean | undefined, at: number): void {
  if (mains === false && hadMains === true) begin(t, 'mainsLost', at);
  if (mains === true) end(t, 'mainsLost');
  if (battery === undefined) return;
  if (battery < LOW_BATTERY && mains !== true) begin(t, 'batteryLow', at);
  else if (battery >= CHARGED || mains === true) end(t, 'batteryLow');
}

function begin(t: Terminal, sign: keyof Signs, at: number): void {
  t.signs ??= {};
  t.signs[sign] ??= at;
}

function end(t: Terminal, sign: keyof Signs): void {
  if (t.signs?.[sign] === undefined) return;
  delete t.signs[sign];
  if (Object.keys(t.signs).length === 0) t.signs = null;
}
