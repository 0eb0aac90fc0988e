/** The API over a watch that tests fill themselves, without a port. */
import { join } from 'node:path';
import type { Hono } from 'hono';
import { expect } from 'vitest';
import { type Keys, openKeys } from '../../../backbone/credentials/rotation.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import { Access, type Role } from '../../../collector/api/access.ts';
import { createApi } from '../../../collector/api/api.ts';
import type { ApiDeps, ApiEnv } from '../../../collector/api/deps.ts';
import { Outputs, type Quarantined } from '../../../collector/owner/outputs.ts';
import { Quarantine } from '../../../collector/owner/quarantine.ts';
import { Book } from '../../../collector/webhooks/book.ts';
import { Webhooks } from '../../../collector/webhooks/webhooks.ts';
import { checkPayload } from '../../../protocol/codec/check.ts';
import type { ControlEntry } from '../../../protocol/control.ts';
import type { Entry, OwnerEntry } from '../../../protocol/entries.ts';
import { checkRow, type Table } from '../../../protocol/registry.ts';
import type { UpChannel } from '../../../protocol/topics.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { tempDir } from '../../helpers/tempdir.ts';

export const T = 1_763_798_400_000;
export const ADMIN = 'twa_admin-token-of-these-tests';

export class TestApi {
  readonly watch = new Watch();
  readonly watchState = openMemoryState();
  readonly feedState = openMemoryState();
  readonly messages = new Quarantine(this.watchState, Number.POSITIVE_INFINITY);
  readonly points = new Quarantine(this.feedState, Number.POSITIVE_INFINITY);
  readonly access: Access;
  readonly control: ControlEntry[] = [];
  readonly submitted: OwnerEntry[] = [];
  readonly lines: string[] = [];
  problems: string[] = [];
  /** Set by `withKeys`. */
  keys!: Keys;
  /** Whether what the watch says is committed by `save` alone. */
  holdsSaves = false;
  metrics: () => Promise<string> = async () => '# HELP a b\na 1\n';
  history: ApiDeps['history'] = async () => [];
  readonly app: Hono<ApiEnv>;
  readonly webhooksState = openMemoryState();
  readonly book = new Book(this.webhooksState);
  /** Addresses, by host name, that webhooks must not go to; other hosts are fine. */
  readonly refusals: Record<string, string | Error> = {};
  #random = 0;
  readonly #outputs = new Outputs(0);

  constructor() {
    this.access = new Access(openMemoryState(), ADMIN, (n) => this.random(n));
    const deps: ApiDeps = {
      watch: this.watch,
      watchState: this.watchState,
      feedState: this.feedState,
      quarantine: { messages: this.messages, points: this.points },
      access: this.access,
      now: () => T,
      random: (n) => this.random(n),
      submit: async (entries) => this.#take(entries(T)),
      control: async (entry) => void this.control.push(entry),
      enroll: async (user, expiresAt) => `tw1.token of ${user} until ${expiresAt}`,
      keys: {
        list: () => this.keys.list(),
        rotate: () => this.keys.rotate(),
        retire: (id) => this.keys.retire(id),
      },
      unready: () => this.problems,
      history: (query) => this.history(query),
      webhooks: new Webhooks({
        book: this.book,
        state: this.webhooksState,
        write: (changes) => this.webhooksState.commit(changes),
        now: () => T,
        monotonic: () => 0,
        random: (n) => this.random(n),
      }),
      refusalOf: async ({ hostname }) => {
        const refusal = this.refusals[hostname] ?? null;
        if (refusal instanceof Error) throw refusal;
        return refusal;
      },
      metrics: () => this.metrics(),
      say: (line) => void this.lines.push(line),
    };
    this.app = createApi(deps);
  }

  /** A ring in a folder of its own. */
  async withKeys(): Promise<void> {
    const control = { append: async (entry: ControlEntry) => void this.control.push(entry), close: async () => {} };
    this.keys = openKeys(
      join(await tempDir(), 'keys.json'),
      control,
      (n) => this.random(n),
      () => T,
    );
  }

  /** As the owner does: what is replayed leaves quarantine. */
  async #take(entries: readonly OwnerEntry[]): Promise<void> {
    this.submitted.push(...entries);
    await this.fold(...entries);
    for (const entry of entries) {
      if (entry.kind === 'message') await this.watchState.commit(this.messages.leave(entry.replayed.id!, entry.at));
    }
  }

  random(n: number): Buffer {
    return Buffer.alloc(n, ++this.#random);
  }

  async fold(...entries: Entry[]): Promise<void> {
    for (const entry of entries) this.#outputs.add(this.watch.step(entry), this.watch.now);
    if (!this.holdsSaves) await this.save();
  }

  /** Commits what the watch said, as the owner does a little later. */
  async save(): Promise<void> {
    await this.watchState.commit(this.#outputs.take().changes);
  }

  row(table: Table, row: Record<string, unknown>, at = T): Promise<void> {
    const checked = checkRow(table, row);
    if (!checked.ok) throw new Error(checked.problems.join('; '));
    return this.fold({ kind: 'registry', at, change: checked.value });
  }

  /** A terminal of a merchant, born and heard at T. */
  async terminal(acquirer: string, sn: string, merchant = 'm-1'): Promise<void> {
    await this.row('terminals', { acquirer, merchant, sn });
    await this.message(acquirer, sn, 'birth', { v: 1, session: 's1', at: T, interval: 60, keepalive: 5, app: '1' });
  }

  message(acquirer: string, sn: string, channel: UpChannel, payload: object, at = T): Promise<void> {
    return this.fold({ kind: 'message', at, node: 'n1', acquirer, sn, channel, decoded: checkPayload(channel, payload) });
  }

  /** Puts what was refused where the owner or (`feed`) the feed would. */
  async quarantine(id: string, from: string, at: number, feed = false, more: Partial<Quarantined> = {}): Promise<void> {
    const row: Quarantined = { id, at, node: 'n1', from, channel: 'report', reason: 'bad_json', detail: '', raw: null, ...more };
    await (feed ? this.feedState.commit(this.points.add(row, 'point')) : this.watchState.commit(this.messages.add(row, 'message')));
  }

  async token(role: Role): Promise<string> {
    return (await this.access.create(role, 'test', T)).token;
  }

  request(path: string, { token = ADMIN, method = 'GET', body, headers = {} }: Asked = {}): Promise<Response> {
    const auth: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    return Promise.resolve(this.app.request(path, { method, headers: { ...auth, ...headers }, ...content }));
  }

  /** Posts a body that comes bit by bit. */
  post(path: string, body: ReadableStream, token: string): Promise<Response> {
    const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
    return Promise.resolve(this.app.request(new Request(`http://localhost${path}`, { method: 'POST', headers, body, duplex: 'half' })));
  }

  async get<T = Record<string, never>>(path: string, request: Asked = {}): Promise<T> {
    const response = await this.request(path, request);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}

interface Asked {
  token?: string;
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface List<Item> {
  items: Item[];
  next: string | null;
}

/** An error's document (RFC 9457). */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: 'about:blank', title: expect.any(String), status: response.status, detail: expect.any(String) });
  return problem;
}
