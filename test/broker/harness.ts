import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import type { Key } from '../../backbone/credentials/tokens.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import { type Broker, startBroker } from '../../broker/broker.ts';
import type { BrokerOptions } from '../../broker/parts.ts';
import { type ControlEntry, encodeControl } from '../../protocol/control.ts';
import { type Arrival, type BrokerRecord, decodeRecord } from '../../protocol/record.ts';
import { MemoryLog } from '../helpers/memory-log.ts';
import { connectMqtt, type MqttClient, type MqttLogin } from '../helpers/mqtt.ts';
import { onTestFinished } from '../helpers/side-by-side.ts';
import { tempDir } from '../helpers/tempdir.ts';

/** The time at which every broker of these tests starts. */
export const START = 1_763_798_400_000;

/** Time that moves by hand: `pass` runs what is due on the way. */
export class TestClock {
  #at = START;
  #stepped = 0;
  #timers = new Set<{ ms: number; due: number; run(): void }>();

  now = (): number => this.#at + this.#stepped;
  uptime = (): number => this.#at - START;

  every = (ms: number, run: () => void): (() => void) => {
    const timer = { ms, due: this.#at + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Moves the wall clock alone. */
  step(ms: number): void {
    this.#stepped += ms;
  }

  pass(ms: number): void {
    const until = this.#at + ms;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.#at = next.due;
      next.due += next.ms;
      next.run();
    }
    this.#at = until;
  }
}

export interface TestBroker {
  broker: Broker;
  log: MemoryLog;
  control: MemoryLog;
  clock: TestClock;
  key: Key;
  keysFile: string;
  port: number;
  /** What the broker said to people. */
  lines: string[];
  records(): BrokerRecord[];
  arrivals(): Arrival[];
  /** The payloads that arrived, as text. */
  payloads(): string[];
  token(user: string, issued?: number): string;
  /** Logs a terminal in with its own token. */
  terminal(user: string, login?: Partial<MqttLogin>): Promise<MqttClient>;
  noc(name: string, login?: Partial<MqttLogin>): Promise<MqttClient>;
  order(entry: ControlEntry): Promise<void>;
}

/** A broker on a free port over logs in memory, stopped when the test has finished. */
export async function testBroker(options: Partial<BrokerOptions> & { before?: ControlEntry[] } = {}): Promise<TestBroker> {
  const { before = [], ...others } = options;
  const [log, control, clock] = [new MemoryLog(), new MemoryLog(), new TestClock()];
  const lines: string[] = [];
  const keysFile = join(await tempDir(), 'keys.json');
  const [key] = await loadOrCreateKeys(keysFile, randomBytes, () => START - 1_000);
  const order = async (entry: ControlEntry) => void (await control.append([encodeControl(entry)]));
  for (const entry of before) await order(entry);
  const base = {
    node: 'node-1',
    listeners: [{ scheme: 'mqtt' as const, host: '127.0.0.1', port: 0 }],
    log,
    control: control.reader(),
    keysFile,
    clock,
    say: (line: string) => void lines.push(line),
  };
  const broker = await startBroker({ ...base, ...others });
  onTestFinished(() => {
    log.heal();
    log.release();
    return broker.stop();
  });
  const token = (user: string, issued = START - 500) => issueToken(key, user, { now: issued, expiresAt: START + 3_600_000 });
  const port = broker.addresses[0]!.port;
  const records = () => log.records.map(decodeRecord);
  const arrivals = () => records().filter((record) => record.kind === 'arrival');
  return {
    broker,
    log,
    control,
    clock,
    key,
    keysFile,
    port,
    lines,
    records,
    arrivals,
    payloads: () => arrivals().map(({ payload }) => Buffer.from(payload).toString()),
    token,
    terminal: (user, login = {}) =>
      connectMqtt({ port, username: user, password: token(user), clientId: user.split('/')[1] ?? '', ...login }),
    noc: (name, login = {}) => connectMqtt({ port, username: `noc:${name}`, password: token(`noc:${name}`), clientId: 'tool-1', ...login }),
    order,
  };
}
