/**
 * The keys as this broker knows them. They are read again when the control log says that they changed, when their file has, and before
 * a token is refused because its key is unknown: it may be of a key that was made a moment ago.
 */
import { stat } from 'node:fs/promises';
import { loadKeys } from '../backbone/credentials/keys.ts';
import type { KeyRing } from '../backbone/credentials/tokens.ts';

export interface Keyring {
  current(): KeyRing;
  /** Reads the file as it is now. What cannot be used changes nothing, and is said once. Never rejects. */
  reload(): Promise<void>;
  /** Reads it where it has changed, or could not be read. To be called each second; never rejects. */
  check(): Promise<void>;
}

export interface KeyringOptions {
  file: string;
  keys: KeyRing;
  /** Told of the ids of keys that are no longer there. */
  retired(ids: ReadonlySet<string>): void;
  say(line: string): void;
}

export function createKeyring({ file, keys: first, retired, say }: KeyringOptions): Keyring {
  let keys = first;
  let used = '';
  let failed = false;
  let reading: Promise<void> = Promise.resolve();
  /** A read that has not begun: whoever asks until then has what it brings. */
  let next: Promise<void> | undefined;

  async function read(): Promise<void> {
    next = undefined;
    try {
      used = await signatureOf(file);
      replace(await loadKeys(file));
      failed = false;
    } catch (error) {
      if (!failed) say(`${(error as Error).message}: the keys known before are used on`);
      failed = true;
    }
  }

  function replace(loaded: KeyRing): void {
    const gone = new Set(keys.map(({ id }) => id));
    keys = loaded;
    for (const { id } of loaded) gone.delete(id);
    if (gone.size > 0) retired(gone);
  }

  function reload(): Promise<void> {
    next ??= reading.then(read);
    reading = next;
    return next;
  }

  return {
    current: () => keys,
    reload,
    async check() {
      if (failed || (await signatureOf(file)) !== used) await reload();
    },
  };
}

/** Differs where another file is in its place: it is always replaced whole. */
async function signatureOf(path: string): Promise<string> {
  const file = await stat(path).catch(() => undefined);
  return file ? `${file.ino}:${file.size}:${file.mtimeMs}` : 'missing';
}
