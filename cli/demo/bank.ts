/** The acquirer's side of the demo: a receiver that verifies what comes, and remembers it. */

import { type Received, startListener } from '../../collector/webhooks/listener.ts';
import { newSecret, readSecret } from '../../collector/webhooks/secrets.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { CliError } from '../io.ts';

/** One delivery that was verified. */
export interface Told {
  type: string;
  sequence: number;
  data: Alert;
}

export interface Bank {
  url: string;
  secret: string;
  /** What came so far. */
  told: readonly Told[];
  /** What was not genuine, or came under a wrong number: none, if all is well. */
  problems: readonly string[];
  /** The first delivery, past or to come, that is wanted. Errors: CliError where none comes in time. */
  hear(what: string, wanted: (told: Told) => boolean, withinMs: number): Promise<Told>;
  stop(): Promise<void>;
}

export async function openBank(random: (bytes: number) => Buffer, onTold: (told: Told) => void): Promise<Bank> {
  const secret = newSecret(random);
  const told: Told[] = [];
  const problems: string[] = [];
  /** Who hears: `look` for what is there, `end` hears no more. */
  const waiting = new Set<{ look(): void; end(): void }>();
  const received = ({ body, problem, again }: Received) => {
    if (problem !== null) return void problems.push(problem);
    if (again) return;
    const delivery = JSON.parse(body) as Told;
    told.push(delivery);
    onTold(delivery);
    for (const one of [...waiting]) one.look();
  };
  const read = readSecret(secret);
  const key = read.ok ? read.key : Buffer.alloc(0);
  const { url, stop } = await startListener({ host: '127.0.0.1', port: 0, key, now: Date.now, received });
  const hear = (what: string, wanted: (told: Told) => boolean, withinMs: number) =>
    new Promise<Told>((resolve, reject) => {
      const one = {
        look() {
          const found = told.find(wanted);
          if (found) resolve(found);
          if (found) one.end();
        },
        end() {
          clearTimeout(timer);
          waiting.delete(one);
        },
      };
      const timer = setTimeout(() => {
        one.end();
        reject(new CliError(`the story stopped: ${what} did not come within ${withinMs / 1000} s`));
      }, withinMs);
      waiting.add(one);
      one.look();
    });
  return {
    ...{ url, secret, told, problems, hear },
    async stop() {
      for (const one of [...waiting]) one.end();
      await stop();
    },
  };
}
