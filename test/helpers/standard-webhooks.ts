/** Verifies what was received as its receivers would: with the Standard Webhooks libraries of npm and of PyPI. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { serverPath } from './servers.ts';

const PROGRAM = fileURLToPath(new URL('standard-webhooks.py', import.meta.url));

/** As it came in. Both libraries want it to be at most five minutes old. */
export interface Received {
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

/** Why a library refuses a delivery; null where it is genuine to it. */
export interface Verdict {
  npm: string | null;
  python: string | null;
}

export const GENUINE: Verdict = { npm: null, python: null };

/** The verdicts on some deliveries, in their order. Needs standardwebhooks-python: see `lacks`. */
export async function verdictsOn(secret: string, deliveries: readonly Received[]): Promise<Verdict[]> {
  const python = await pythonVerdicts(secret, deliveries);
  return deliveries.map((delivery, i) => ({ npm: npmVerdict(secret, delivery), python: python[i]! }));
}

function npmVerdict(secret: string, { headers, body }: Received): string | null {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return null;
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
}

/** One process for all. */
async function pythonVerdicts(secret: string, deliveries: readonly Received[]): Promise<(string | null)[]> {
  const program = serverPath('standardwebhooks-python');
  if (program === null) throw new Error('standardwebhooks-python is missing: see what "npm run servers" says');
  const child = spawn(program, [PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const lines = deliveries.map(({ headers, body }) => JSON.stringify({ secret, headers, body: body.toString('base64') }));
  child.stdin.on('error', () => {}); // A program that ended early says why below.
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code, out, errors] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  const verdicts = out.split('\n').filter(Boolean);
  if (code !== 0 || verdicts.length !== deliveries.length) throw new Error(`standardwebhooks-python ended with ${code}: ${errors}`);
  return verdicts.map((line) => JSON.parse(line));
}
