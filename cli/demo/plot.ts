/** What happens in the demo, and what is said of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '../../protocol/alerts.ts';
import type { LiveFleet, LiveMerchant } from '../../simulator/live/fleet.ts';
import type { Ask } from '../installation.ts';
import { CliError } from '../io.ts';
import type { Bank, Told } from './bank.ts';
import type { Screen } from './screen.ts';

export interface Stage {
  fleet: LiveFleet;
  bank: Bank;
  /** The API, as an operator asks it. */
  ask: Ask;
  screen: Screen;
  signal: AbortSignal;
}

/** The acquirer whose bank listens. */
export const ACQUIRER = 'acme';
/** Slots left of the merchant's limit when the story begins. */
const SLOTS_LEFT = 3;
const PAUSE_MS = 1_500;
const WITHIN_MS = 30_000;

/** Errors: CliError where something does not come; the signal's reason where it aborts. */
export async function play(stage: Stage): Promise<void> {
  const shop = await gather(stage);
  await fillUp(stage, shop);
  await fallSilent(stage, shop);
}

/** Everybody connects; the merchant that the story is about. */
async function gather(stage: Stage): Promise<LiveMerchant> {
  const { fleet, screen } = stage;
  const merchants = fleet.merchants();
  const count = merchants.reduce((sum, { serials }) => sum + serials.length, 0);
  const acquirers = new Set(merchants.map(({ acquirer }) => acquirer)).size;
  screen.tell(`${count} terminals of ${merchants.length} merchants at ${acquirers} acquirers connect over MQTT.`);
  const online = await until(stage, `${count} terminals online`, async () => {
    const { byState } = (await stage.ask('GET', '/v1/fleet')) as { byState: Record<string, number> };
    return byState.online === count ? count : undefined;
  });
  screen.tell(`All ${online} report. Each report is on disk before its terminal gets the PUBACK.`);
  const shop = castShop(merchants);
  fleet.setLimit(shop, shop.held + SLOTS_LEFT);
  await sleep(PAUSE_MS, undefined, { signal: stage.signal });
  return { ...shop, limit: shop.held + SLOTS_LEFT };
}

/** A shop of six or seven terminals tells it best; in one of these sizes each swap changes the alert. Errors: CliError where there is none. */
export function castShop(merchants: readonly LiveMerchant[]): LiveMerchant {
  const fit = merchants.filter(
    ({ acquirer, held, serials }) => acquirer === ACQUIRER && held >= 4 && held <= 11 && serials.length >= SLOTS_LEFT,
  );
  const [shop] = fit.sort((a, b) => Math.abs(a.held - 6.5) - Math.abs(b.held - 6.5));
  if (!shop) throw new CliError('no shop of this fleet has the size for the story: give another --seed, or more --terminals');
  return shop;
}

/** Terminals are replaced, and the old ones stay bound: the way in which merchants run out of slots. */
async function fillUp(stage: Stage, { merchant, limit, held, serials }: LiveMerchant): Promise<void> {
  const { fleet, bank, screen, signal } = stage;
  screen.tell(`Merchant ${merchant} has ${held} of the ${limit} terminals that ${ACQUIRER} lets it have.`);
  const unbind: (() => void)[] = [];
  const quota = (told: Told) => told.data.type === 'quota.terminals' && told.data.subject.merchant === merchant;
  for (const [n, sn] of serials.slice(0, SLOTS_LEFT).entries()) {
    const used = held + n + 1;
    screen.tell(`Terminal ${sn} breaks and is swapped. Nobody unbinds the old one: ${used} of ${limit}.`);
    unbind.push(fleet.swap(sn));
    await bank.hear(`the alert of ${used} of ${limit}`, (told) => quota(told) && bound(told.data) === used, WITHIN_MS);
    await sleep(PAUSE_MS, undefined, { signal });
  }
  screen.tell('Full: the next new terminal would have been refused at the till. The acquirer knew two terminals before.');
  await sleep(PAUSE_MS, undefined, { signal });
  screen.tell('The old terminals are unbound.');
  for (const free of unbind) free();
  await bank.hear('the end of that alert', (told) => quota(told) && told.type === 'alert.resolved', WITHIN_MS);
}

function bound({ evidence }: Alert): unknown {
  return evidence.find(({ what }) => what === 'bound')?.value;
}

async function fallSilent(stage: Stage, shop: LiveMerchant): Promise<void> {
  const { fleet, bank, screen, signal } = stage;
  const elsewhere = fleet.merchants().filter(({ acquirer, merchant }) => acquirer === ACQUIRER && merchant !== shop.merchant);
  const sn = elsewhere.flatMap(({ serials }) => serials).find((serial) => fleet.fallSilent(serial, 'reset'));
  if (sn === undefined) throw new CliError('the story stopped: no terminal is there to fall silent');
  const offline = (told: Told) => told.data.type === 'terminal.offline' && told.data.subject.terminal === sn;
  screen.tell(`Terminal ${sn} loses its connection. A moment's hold-down: most come back by themselves.`);
  await bank.hear(`the alert of ${sn}`, (told) => offline(told) && told.type === 'alert.fired', WITHIN_MS);
  await bank.hear('its rise', (told) => offline(told) && told.data.severity === 'critical', WITHIN_MS);
  await sleep(PAUSE_MS, undefined, { signal });
  screen.tell(`Terminal ${sn} is back.`);
  fleet.comeBack(sn);
  await bank.hear('the end of that alert', (told) => offline(told) && told.type === 'alert.resolved', WITHIN_MS);
}

async function until<T>({ signal }: Stage, what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new CliError(`the story stopped: ${what} did not come within ${WITHIN_MS / 1000} s`);
    await sleep(200, undefined, { signal });
  }
}
