import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Received, startListener } from '../../collector/webhooks/listener.ts';
import { TOLERANCE_SECONDS, whyNotGenuine } from '../../collector/webhooks/signature.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { parseAddress } from '../address.ts';
import { CliError, type Io, unreadable } from '../io.ts';
import { alertLine } from '../lines.ts';
import { whole } from '../options.ts';
import { untilStopped } from '../parts.ts';
import { keyOf, secretIn } from '../secrets.ts';
import { ownName } from '../self.ts';

const DEFAULT_LISTEN = '127.0.0.1:9100';
const DEFAULT_SECRET_FILE = 'webhook-secret';
const MAX_TOLERANCE_SECONDS = 86_400;
const MAX_SHOWN = 200;

interface ListenOptions {
  listen: string;
  secretFile: string;
  json?: boolean;
}

interface VerifyOptions {
  id: string;
  timestamp: string;
  signature: string;
  secretFile: string;
  tolerance: number;
}

/** What a receiver does: listen, verify. */
export function receiverCommands(webhook: Command, io: Io): void {
  webhook
    .command('listen')
    .description('a receiver to try webhooks with: verifies what comes, and prints it')
    .option('--listen <address>', 'where, host:port', DEFAULT_LISTEN)
    .option('--secret-file <file>', 'the secret; a new one is written there where the file is missing', DEFAULT_SECRET_FILE)
    .option('--json', 'each delivery as one JSON document, for programs')
    .addHelpText(
      'after',
      '\nExamples:\n  tillwatch webhook listen\n  tillwatch webhook listen --listen 127.0.0.1:9200 --secret-file bank.secret --json',
    )
    .action(async ({ listen, secretFile, json }: ListenOptions) => {
      const address = parseAddress(listen);
      if (!address) throw new CliError(`--listen: "${listen}" is not host:port, such as ${DEFAULT_LISTEN}`, 2);
      const key = keyOf(await secretIn(secretFile, io), secretFile);
      const received = (delivery: Received) => io.out(json ? JSON.stringify(delivery) : deliveryLine(delivery));
      const listener = await startListener({ ...address, key, now: Date.now, received }).catch((error: NodeJS.ErrnoException) => {
        throw new CliError(`${listen} cannot be listened on (${error.code ?? error.message}): give another address with --listen`);
      });
      io.say(`listening on ${listener.url}, with the secret in ${secretFile}. To have alerts sent here:`);
      io.say(`  ${ownName(io.env)} webhook add ${listener.url} --secret-file ${secretFile}`);
      await untilStopped([listener], io);
    });

  webhook
    .command('verify [file]')
    .description('whether a delivery is genuine: its body from a file or standard input (-), as the very bytes that came')
    .requiredOption('--id <id>', 'its header webhook-id')
    .requiredOption('--timestamp <seconds>', 'its header webhook-timestamp')
    .requiredOption('--signature <signature>', 'its header webhook-signature')
    .option('--secret-file <file>', 'the secret', DEFAULT_SECRET_FILE)
    .option('--tolerance <seconds>', 'how far its timestamp may be off; 0: any time', whole(0, MAX_TOLERANCE_SECONDS), TOLERANCE_SECONDS)
    .addHelpText(
      'after',
      '\nExample:\n  tillwatch webhook verify body.json --id msg_… --timestamp 1763798400 --signature v1,… --secret-file webhook-secret --tolerance 0',
    )
    .action(async (file: string | undefined, { id, timestamp, signature, secretFile, tolerance }: VerifyOptions) => {
      const key = keyOf(await secretIn(secretFile), secretFile);
      const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
      const problem = whyNotGenuine(headers, await bodyIn(file ?? '-', io), key, Date.now(), tolerance);
      if (problem !== null) throw new CliError(`not genuine: ${problem}`);
      io.out('genuine');
    });
}

async function bodyIn(file: string, io: Io): Promise<Buffer> {
  if (file !== '-') return readFile(file).catch((error) => Promise.reject(unreadable(file, error)));
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function deliveryLine({ at, headers, body, problem, again }: Received): string {
  const time = new Date(at).toISOString().slice(11, 19);
  if (problem !== null) return `${time}  NOT GENUINE: ${problem} (${headers['webhook-id'] ?? 'no webhook-id'})`;
  return `${time}  ${whatCame(body)}${again ? '  (came before)' : ''}`;
}

/** A body may be signed and be none of ours. */
function whatCame(body: string): string {
  try {
    const { type, sequence, data } = JSON.parse(body) as { type: string; sequence: number; data: Alert };
    return `#${sequence}  ${type.startsWith('alert.') ? alertLine(type.slice('alert.'.length), data) : type}`;
  } catch {
    return `genuine, and no event of ours: ${body.slice(0, MAX_SHOWN)}`;
  }
}
