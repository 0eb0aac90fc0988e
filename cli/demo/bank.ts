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
  const waiting = new Set<() => void>();
  const received = ({ body, problem, again }: Received) => {
    if (problem !== null) return void problems.push(problem);
    const delivery = JSON.parse(body) as Told;
    if (again) return;
    told.push(delivery);
    onTold(delivery);
    for (const look of [...waiting]) look();
  };
  const read = readSecret(secret);
  const key = read.ok ? read.key : Buffer.alloc(0);
  const { url, stop } = await startListener({ host: '127.0.0.1', port: 0, key, now: Date.now, received });
  const hear = (what: string, wanted: (told: Told) => boolean, withinMs: number) =>
    new Promise<Told>((resolve, reject) => {
      const look = () => {
        const found = told.find(wanted);
        if (found) settle(() => resolve(found));
      };
      const settle = (end: () => void) => {
        clearTimeout(timer);
        waiting.delete(look);
        end();
      };
      const late = () => settle(() => reject(new CliError(`the story stopped: ${what} did not come within ${withinMs / 1000} s`)));
      const timer = setTimeout(late, withinMs);
      waiting.add(look);
      look();
    });
  return { url, secret, told, problems, hear, stop };
}
