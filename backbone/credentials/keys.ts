/**
 * The key ring: a file that signs and verifies tokens, shared by the brokers, collectors and commands of one installation.
 *
 *     {"keys":[{"id":"k1f3a…","secret":"base64url","createdAt":1763798400000}]}
 */
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod/mini';
import { epochMs } from '../../protocol/schemas/common.ts';
import type { Key, KeyRing } from './tokens.ts';

export const KEY_ERRORS = {
  exposed:
    'the key file can be read by other users of this machine: take their rights away (chmod 600), and rotate the keys if anyone may have read them',
  unreadable: 'the key file cannot be read or written: check the rights and the owner of it and its folder',
  missing: 'there is no key file: restore it from a backup, or start again and enroll every terminal again',
  unknown: 'there is no such key: "tillwatch keys list" shows those that there are',
  signing: 'this key signs new tokens: rotate the keys first',
  malformed: 'the key file is not a key ring: restore it from a backup, or remove it and enroll every terminal again',
} as const;

/** None of these goes away by trying again. The message names the file or the key, and never a secret. */
export class KeyError extends Error {
  readonly code: keyof typeof KEY_ERRORS;
  readonly retry = false;

  constructor(code: keyof typeof KEY_ERRORS, path: string, options?: ErrorOptions) {
    super(`${KEY_ERRORS[code]} (${path})`, options);
    this.name = 'KeyError';
    this.code = code;
  }
}

/** Randomness of cryptographic quality, such as `crypto.randomBytes`. */
export type RandomBytes = (size: number) => Uint8Array;

const SECRET_BYTES = 32;
/** Base64url characters of that many bytes. */
const SECRET_CHARACTERS = 43;

const file = z.object({
  keys: z
    .array(
      z.object({
        id: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,32}$/)),
        secret: z.string().check(z.regex(/^[A-Za-z0-9_-]+$/), z.minLength(SECRET_CHARACTERS)),
        createdAt: epochMs,
      }),
    )
    .check(
      z.minLength(1),
      z.refine((keys) => new Set(keys.map((key) => key.id)).size === keys.length),
    ),
});

/**
 * The key ring in `path`; where there is none, makes one with a new key first. Processes that start at once agree on one.
 * Errors: KeyError. A file that others may read is refused, not tightened: its secrets may be known already.
 */
export function loadOrCreateKeys(path: string, random: RandomBytes, now: () => number): Promise<KeyRing> {
  return orKeyError(path, async () => (await readKeys(path)) ?? (await createKeys(path, random, now)));
}

/** The key ring in `path`. Errors: KeyError, also where there is none. */
export function loadKeys(path: string): Promise<KeyRing> {
  return orKeyError(path, async () => {
    const keys = await readKeys(path);
    if (!keys) throw new KeyError('missing', path);
    return keys;
  });
}

/**
 * Adds a key, which signs from now on, and returns it. Nobody else may change the file meanwhile: whoever calls this holds the control
 * log's writer. Errors: KeyError.
 */
export function rotateKeys(path: string, random: RandomBytes, now: () => number): Promise<Key> {
  return orKeyError(path, async () => {
    const keys = (await readKeys(path)) ?? (await createKeys(path, random, now));
    // Of keys that are equally new the last in the file signs; a clock that was put back makes no key older than the others.
    const key = createKey(random, Math.max(now(), keys[0].createdAt));
    await replaceKeys(path, [...keys.toReversed(), key], random);
    return key;
  });
}

/** Takes a key away: its tokens are good no more. As `rotateKeys`. Errors: KeyError, `unknown` or `signing` for one that cannot go. */
export function retireKey(path: string, id: string, random: RandomBytes): Promise<void> {
  return orKeyError(path, async () => {
    const keys = (await readKeys(path)) ?? [];
    if (!keys.some((key) => key.id === id)) throw new KeyError('unknown', id);
    if (keys[0]!.id === id) throw new KeyError('signing', id);
    await replaceKeys(path, keys.filter((key) => key.id !== id).toReversed(), random);
  });
}

async function orKeyError<T>(path: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw error instanceof KeyError ? error : new KeyError('unreadable', path, { cause: error });
  }
}

async function readKeys(path: string): Promise<KeyRing | undefined> {
  const text = await readPrivate(path);
  if (text === undefined) return undefined;
  const keys = parseKeys(text);
  if (!keys) throw new KeyError('malformed', path);
  return keys;
}

async function readPrivate(path: string): Promise<string | undefined> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    if (((await handle.stat()).mode & 0o077) !== 0) throw new KeyError('exposed', path);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parseKeys(text: string): KeyRing | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = file.safeParse(value);
  if (!result.success) return undefined;
  const [first, ...others] = result.data.keys.toReversed().sort((a, b) => b.createdAt - a.createdAt);
  return first && [first, ...others];
}

/** The file appears whole or not at all: it is written beside its place, and linking fails where another process was first. */
async function createKeys(path: string, random: RandomBytes, now: () => number): Promise<KeyRing> {
  const key = createKey(random, now());
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${hex(random(8))}`;
  await writeDurably(draft, JSON.stringify({ keys: [key] }));
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft);
  }
  await syncFolder(dirname(path));
  return (await readKeys(path)) ?? [key];
}

/** Readers see the file before or the one after, and a crash leaves one of the two. */
async function replaceKeys(path: string, keys: readonly Key[], random: RandomBytes): Promise<void> {
  const draft = `${path}.${hex(random(8))}`;
  try {
    await writeDurably(draft, JSON.stringify({ keys }));
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

function createKey(random: RandomBytes, createdAt: number): Key {
  return { id: `k${hex(random(6))}`, secret: Buffer.from(random(SECRET_BYTES)).toString('base64url'), createdAt };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
