/** The registry of a round: merchants, their terminals, and changes that are asked for until they are confirmed. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../helpers/eventually.ts';
import type { Installation } from '../helpers/installation.ts';
import type { AskedMove } from './history.ts';
import { between } from './random.ts';

export const MERCHANTS = 8;
export const TERMINALS = 40;
const SLOTS = 8;
const PATIENCE_MS = 120_000;

export function merchantName(n: number): string {
  return `m-${n}`;
}

/** Serial numbers, and the merchant of each. */
export function homesOf(terminals: number): Map<string, string> {
  return new Map(Array.from({ length: terminals }, (_, i) => [`SN${String(i).padStart(4, '0')}`, merchantName(i % MERCHANTS)]));
}

export async function bindAll(installation: Installation, acquirer: string, homes: ReadonlyMap<string, string>): Promise<AskedMove[]> {
  const merchants = Array.from({ length: MERCHANTS }, (_, n) => `${acquirer},${merchantName(n)},${SLOTS},UTC`);
  const terminals = [...homes].map(([sn, merchant]) => `${acquirer},${merchant},${sn}`);
  const from = Date.now();
  await installation.api('/v1/imports', {
    files: [{ name: 'merchants.csv', text: ['acquirer,merchant,terminal_limit,tz', ...merchants].join('\n') }, terminalsCsv(terminals)],
  });
  const until = Date.now();
  return [...homes].map(([sn, merchant]) => ({ user: `${acquirer}/${sn}`, merchant, from, until }));
}

export function terminalsCsv(rows: readonly string[], columns = 'acquirer,merchant,sn'): { name: string; text: string } {
  return { name: 'terminals.csv', text: [columns, ...rows].join('\n') };
}

/** Sends an import until it is confirmed, as whoever gets no answer does. */
export async function insistOnImport(installation: Installation, file: { name: string; text: string }): Promise<void> {
  await eventually(() => installation.api('/v1/imports', { files: [file] }), { within: PATIENCE_MS, every: 50 });
}

/** Merchants gain and lose further terminals, so that their use crosses the lines of their limit, up and down. */
export function walkQuotas(installation: Installation, acquirer: string, random: () => number): { stop(): Promise<void> } {
  let stopping = false;
  const spare = SLOTS - TERMINALS / MERCHANTS;
  const walk = async () => {
    while (!stopping) {
      const merchant = between(random, 0, MERCHANTS - 1);
      const bound = between(random, 0, spare + 1);
      const rows = Array.from({ length: spare + 1 }, (_, n) => {
        const lifecycle = n < bound ? 'active' : 'deleted';
        return `${acquirer},${merchantName(merchant)},XX${merchant}-${n},${lifecycle}`;
      });
      await insistOnImport(installation, terminalsCsv(rows, 'acquirer,merchant,sn,lifecycle'));
      await delay(between(random, 100, 300));
    }
  };
  const walking = walk();
  walking.catch(() => {});
  return {
    async stop() {
      stopping = true;
      await walking;
    },
  };
}
