import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { exportEntries } from '../../collector/log/export.ts';
import type { CommandRecord } from '../../watch/fleet/commands.ts';
import { Watch } from '../../watch/fold/watch.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation, type Command as Part } from '../helpers/installation.ts';
import { connectMqtt, type MqttClient } from '../helpers/mqtt.ts';
import { sideBySide } from '../helpers/side-by-side.ts';
import { seeds, waitingTest } from './form.ts';
import { between, pick, seeded } from './random.ts';
import { insistOnImport, terminalsCsv } from './registry.ts';

const ROUND_MS = 120_000;
const KILLS = 3;
const COMMANDS_AT_ONCE = 6;
const SHORT_MS = 2_000;
const [LISTENS, AWAY] = ['SN0001', 'SN0002'];

/** What a terminal answers to each type, and the outcome that it stands for. */
const ANSWERS: Record<string, { ok: boolean; error: string | null; outcome: string }> = {
  rebirth: { ok: true, error: null, outcome: 'done' },
  report_now: { ok: false, error: 'no paper', outcome: 'failed' },
  diagnose: { ok: false, error: 'not supported', outcome: 'refused' },
};

interface Listed {
  id: string;
  type: string;
  state: string;
  error: string | null;
}

/** A terminal that connects again whenever it has to, and answers each command twice, as often as it comes. */
class Terminal {
  readonly heard = new Set<string>();
  /** Acks without a PUBACK, by command. */
  readonly #owed = new Map<string, string>();
  readonly #installation: Installation;
  #stopping = false;
  #client: MqttClient | undefined;
  readonly #life: Promise<void>;

  constructor(installation: Installation) {
    this.#installation = installation;
    this.#life = this.#live();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#client?.socket.destroy();
    await this.#life;
  }

  async #live(): Promise<void> {
    while (!this.#stopping) {
      await this.#session().catch(() => {});
      await delay(50);
    }
  }

  async #session(): Promise<void> {
    const { mqttPort, token } = this.#installation;
    const port = mqttPort();
    if (port === undefined) return;
    const user = `acme/${LISTENS}`;
    const client = await connectMqtt({ port, username: user, password: token(user), clientId: LISTENS! });
    this.#client = client;
    await client.subscribe(`pos/v1/${user}/cmd`);
    const session = `s${Date.now()}`;
    await client.publish(`pos/v1/${user}/birth`, JSON.stringify({ v: 1, session, at: Date.now(), interval: 300, keepalive: 300 }));
    while (!client.socket.destroyed && !this.#stopping) {
      this.#take(client);
      for (const [id, body] of [...this.#owed]) {
        await client.publish(`pos/v1/${user}/ack`, body);
        await client.publish(`pos/v1/${user}/ack`, body);
        this.#owed.delete(id);
      }
      await delay(10);
    }
  }

  #take({ messages }: MqttClient): void {
    for (const { payload } of messages.splice(0)) {
      const { id, type } = JSON.parse(payload) as { id: string; type: string };
      const { ok, error } = ANSWERS[type]!;
      this.heard.add(id);
      this.#owed.set(id, JSON.stringify({ v: 1, id, ok, error }));
    }
  }
}

/** What a fold from nothing over the logs says of each command in the end. */
async function foldAgain({ paths }: Installation): Promise<Record<string, string>> {
  const readers = await Promise.all([openSegmentReader(paths.brokersLog), openSegmentReader(paths.ownerLog)]);
  const watch = new Watch();
  const states: Record<string, string> = {};
  const note = ({ command, state }: CommandRecord) => {
    states[command.id] = state;
  };
  for await (const entry of exportEntries(...readers)) watch.step(entry).commands.forEach(note);
  await Promise.all(readers.map((reader) => reader.close()));
  return states;
}

/** Who is killed, in turn. */
const VICTIMS: readonly (readonly Part[])[] = [['broker'], ['collector'], ['broker', 'collector']];

describe('kill -9 while commands are given', () => {
  waitingTest.for(seeds(11_001))(
    'each that was taken has the one outcome that its ack says (seed %i)',
    { timeout: ROUND_MS },
    sideBySide(async (seed) => {
      const victims = VICTIMS[seed % VICTIMS.length]!;
      const random = seeded(seed);
      const installation = await Installation.create();
      const processes = new Map((['broker', 'collector'] as const).map((part) => [part as Part, installation.start(part)]));
      const ready = () => Promise.all([...processes.values()].map((one) => one.ready()));
      await ready();
      await insistOnImport(installation, terminalsCsv([`acme,m-1,${LISTENS}`, `acme,m-1,${AWAY}`]));
      const terminal = new Terminal(installation);
      const taken: string[] = [];
      const give = async (sn: string, body: object) => {
        const answer = await installation.api<Listed>(`/v1/terminals/${sn}/commands`, body).catch(() => undefined);
        if (answer) taken.push(answer.id);
      };

      for (let kill = 0; kill < KILLS; kill++) {
        const given = Array.from({ length: COMMANDS_AT_ONCE }, async () => {
          await delay(between(random, 0, 600));
          await give(LISTENS!, { type: pick(random, Object.keys(ANSWERS)) });
        });
        await give(AWAY!, { type: 'rebirth', expires: Date.now() + SHORT_MS });
        await delay(between(random, 0, 600));
        await Promise.all(victims.map((part) => processes.get(part)!.end('SIGKILL')));
        await delay(between(random, 0, 300));
        for (const part of victims) processes.set(part, installation.start(part));
        await Promise.all([...given, ready()]);
      }

      const listed = async (sn: string) => (await installation.api<{ items: Listed[] }>(`/v1/terminals/${sn}/commands`)).items;
      const [answered, expired] = await eventually(
        async () => {
          const all = [await listed(LISTENS!), await listed(AWAY!)] as const;
          const open = all.flat().filter(({ state }) => state === 'waiting' || state === 'sent');
          if (open.length > 0) throw new Error(`${open.length} have no outcome: ${JSON.stringify(open)}`);
          return all;
        },
        { within: 60_000, every: 100 },
      );
      await terminal.stop();
      const codes = await installation.stopAll();

      console.log(`commands, seed ${seed}: ${KILLS} kills of ${victims}, ${answered.length} answered, ${expired.length} expired`);
      const states = Object.fromEntries([...answered, ...expired].map(({ id, state }) => [id, state]));
      expect(answered.map(({ state, error }) => [state, error])).toEqual(
        answered.map(({ type }) => [ANSWERS[type]!.outcome, ANSWERS[type]!.error]),
      );
      expect(expired.map(({ state }) => state)).toEqual(expired.map(() => 'expired'));
      expect(taken.filter((id) => states[id] === undefined)).toEqual([]);
      expect(answered.filter(({ id }) => !terminal.heard.has(id))).toEqual([]);
      expect(await foldAgain(installation)).toEqual(states);
      expect(taken.length).toBeGreaterThan(KILLS);
      expect(installation.failures).toEqual([]);
      expect(codes).toEqual([0, 0]);
    }),
  );
});
