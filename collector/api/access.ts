/**
 * Who may do what on the API: bearer tokens with a role. Tokens are random and kept as hashes alone; the first admin token is in a
 * file that only its owner may read.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StateStore } from '../../backbone/state.ts';
import { ACQUIRER_PATTERN } from '../../protocol/topics.ts';
import { fromBytes, toBytes } from '../rows.ts';

/** `acquirer:{code}` reads its own rows alone. */
export type Role = 'admin' | 'noc' | 'viewer' | `acquirer:${string}`;

export interface Token {
  id: string;
  role: Role;
  name: string;
  createdAt: number;
}

/** Who asks: `name` stands for them where their action is kept. */
export type Bearer = Pick<Token, 'role' | 'name'>;

const TABLE = 'tokens';
const TOKEN_BYTES = 32;

export function parseRole(text: unknown): Role | undefined {
  if (text === 'admin' || text === 'noc' || text === 'viewer') return text;
  if (typeof text !== 'string' || !text.startsWith('acquirer:')) return undefined;
  return ACQUIRER_PATTERN.test(text.slice('acquirer:'.length)) ? (text as Role) : undefined;
}

/** The acquirer whose rows alone this role may see; null where it sees all. */
export function acquirerOf(role: Role): string | null {
  return role.startsWith('acquirer:') ? role.slice('acquirer:'.length) : null;
}

export interface AdminToken {
  token: string;
  made: boolean;
}

/**
 * Reads the admin token, or makes it: 0600, and never over one that is there. The file appears whole or not at all. `made` where this
 * call made it.
 */
export async function loadOrCreateAdminToken(path: string, random: (bytes: number) => Buffer): Promise<AdminToken> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const token = newToken(random);
  const draft = `${path}.${randomUUID()}.tmp`;
  await writeFile(draft, `${token}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, path);
    return { token, made: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { token: (await readFile(path, 'utf8')).trim(), made: false };
  } finally {
    await rm(draft, { force: true });
  }
}

export class Access {
  readonly #state: StateStore;
  readonly #admin: Buffer;
  readonly #random: (bytes: number) => Buffer;

  constructor(state: StateStore, adminToken: string, random: (bytes: number) => Buffer) {
    this.#state = state;
    this.#admin = hash(adminToken);
    this.#random = random;
  }

  /** Whose a bearer token is; undefined where it is none of ours. Looked up by its hash, so its time tells nothing of it. */
  bearerOf(token: string): Bearer | undefined {
    const digest = hash(token);
    if (timingSafeEqual(digest, this.#admin)) return { role: 'admin', name: 'admin' };
    const found = this.#state.get(TABLE, digest.toString('hex'));
    if (!found) return undefined;
    const { role, name, id } = fromBytes<Token>(found);
    return { role, name: name === '' ? id : name };
  }

  list(): Token[] {
    return [...this.#state.rows(TABLE)].map(({ value }) => fromBytes<Token>(value));
  }

  async create(role: Role, name: string, at: number): Promise<Token & { token: string }> {
    const token = newToken(this.#random);
    const digest = hash(token).toString('hex');
    const row: Token = { id: digest.slice(0, 12), role, name, createdAt: at };
    await this.#state.commit([{ table: TABLE, key: digest, value: toBytes(row) }]);
    return { ...row, token };
  }

  /** False where there is no such token. */
  async remove(id: string): Promise<boolean> {
    const keys = [...this.#state.rows(TABLE)].filter(({ value }) => fromBytes<Token>(value).id === id).map(({ key }) => key);
    await this.#state.commit(keys.map((key) => ({ table: TABLE, key, value: null })));
    return keys.length > 0;
  }
}

function newToken(random: (bytes: number) => Buffer): string {
  return `twa_${random(TOKEN_BYTES).toString('base64url')}`;
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
