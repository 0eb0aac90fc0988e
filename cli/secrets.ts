/** Webhook secrets in files. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { newSecret, readSecret } from '../collector/webhooks/secrets.ts';
import { CliError, type Io, unreadable } from './io.ts';

/** The secret in a file; with `io`, a new one where there is no such file. Errors: CliError. */
export async function secretIn(file: string, io?: Io): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!io || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(file, error);
    const secret = newSecret(randomBytes);
    await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' }).catch((problem: NodeJS.ErrnoException) => {
      throw new CliError(`${file} cannot be written (${problem.code ?? problem.message}): name another with --secret-file`);
    });
    io.say(`a new secret is in ${file}`);
    return secret;
  }
}

/** The key that signs, of a secret that came from a file. Errors: CliError. */
export function keyOf(secret: string, file: string): Buffer {
  const read = readSecret(secret);
  if (!read.ok) throw new CliError(`${file}: ${read.problem}`);
  return read.key;
}
