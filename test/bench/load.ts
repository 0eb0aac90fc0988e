/**
 * Load for a measurement: N terminals, each one connection, QoS 1, a window of W, flat out. Loopback, and 60 seconds at most. Reads
 * lines on standard input: `go SECONDS` runs and prints what was acknowledged; `once` sends a report of each, and waits for its PUBACK.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';

interface Options {
  port: number;
  keysFile: string;
  connections: number;
  window: number;
  /** Sets RETAIN, which a report must not have: it is cleared, and the message goes the long way, through Aedes. */
  longWay: boolean;
}

const MAX_SECONDS = 60;
const options: Options = JSON.parse(process.argv[2]!);
const [key] = await loadOrCreateKeys(options.keysFile, randomBytes, Date.now);

let running = false;
let acknowledged = 0;
let latencies: number[] = [];

class Terminal {
  readonly #sn: string;
  readonly #sentAt = new Float64Array(65_536);
  #socket!: Socket;
  #seq = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(number: number) {
    this.#sn = `BENCH${String(number).padStart(6, '0')}`;
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket = connect(options.port, '127.0.0.1', () => this.#socket.write(this.#connectPacket()));
      this.#socket.setNoDelay(true);
      this.#socket.once('error', reject);
      this.#socket.on('data', (bytes) => this.#read(bytes, resolve));
    });
  }

  fill(): void {
    const packets: Buffer[] = [];
    for (let n = 0; n < options.window; n++) packets.push(this.#publish());
    this.#socket.write(Buffer.concat(packets));
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer, connected: () => void): void {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const packets: Buffer[] = [];
    let offset = 0;
    for (; offset + 4 <= data.length; offset += 4) {
      const type = data[offset]! >> 4;
      if (type === 2 && data[offset + 3] === 0) connected();
      else if (type !== 4) throw new Error(`the broker answered with packet ${type}, code ${data[offset + 3]}`);
      else this.#acknowledge(data.readUInt16BE(offset + 2), packets);
    }
    this.#rest = data.subarray(offset);
    if (packets.length > 0) this.#socket.write(packets.length === 1 ? packets[0]! : Buffer.concat(packets));
  }

  #acknowledge(id: number, packets: Buffer[]): void {
    acknowledged++;
    if ((acknowledged & 15) === 0) latencies.push(performance.now() - this.#sentAt[id]!);
    if (running) packets.push(this.#publish());
  }

  /** A report of about 400 bytes. */
  #publish(): Buffer {
    const seq = ++this.#seq;
    const id = ((seq - 1) % 65_535) + 1;
    this.#sentAt[id] = performance.now();
    const topic = `pos/v1/acme/${this.#sn}/report`;
    const payload =
      `{"v":1,"session":"01JBENCHSESSION00000000000","seq":${seq},"samples":[{"at":${Date.now()},"signal":{"rat":"lte","rsrp":-${90 + (seq % 30)},` +
      `"rsrq":-11,"sinr":8,"rssi":-71,"mcc":"460","mnc":"00","lac":"9cba","cell":"76c6c"},"bindings":{"terminals":{"bound":7,"limit":10},` +
      `"peripherals":{"bound":3,"limit":4}},"outcomes":[{"system":"unionpay","code":"00","n":12,"card":"debit","kind":"sale"}],"power":{"battery":0.83,"mains":true}}]}`;
    const length = 2 + topic.length + 2 + payload.length;
    const packet = Buffer.allocUnsafe(3 + length);
    packet[0] = options.longWay ? 0x33 : 0x32;
    packet[1] = (length & 127) | 128;
    packet[2] = length >> 7;
    packet.writeUInt16BE(topic.length, 3);
    packet.write(topic, 5, 'latin1');
    packet.writeUInt16BE(id, 5 + topic.length);
    packet.write(payload, 7 + topic.length, 'latin1');
    return packet;
  }

  #connectPacket(): Buffer {
    const user = `acme/${this.#sn}`;
    const now = Date.now();
    const fields = [this.#sn, user, issueToken(key, user, { now, expiresAt: now + 3_600_000 })].map((text) => {
      const field = Buffer.alloc(2 + text.length);
      field.writeUInt16BE(text.length);
      field.write(text, 2, 'latin1');
      return field;
    });
    const body = Buffer.concat([Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc2, 0x02, 0x58]), ...fields]);
    return Buffer.concat([Buffer.from([0x10, (body.length & 127) | 128, body.length >> 7]), body]);
  }
}

const terminals = Array.from({ length: options.connections }, (_, n) => new Terminal(n));
for (const terminal of terminals) await terminal.connect();
console.log(JSON.stringify({ connected: terminals.length }));

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'once') {
    for (const terminal of terminals) terminal.fill();
    while (acknowledged < terminals.length) await new Promise((done) => setTimeout(done, 50));
    console.log(JSON.stringify({ acknowledged }));
    continue;
  }
  const seconds = Math.min(Number(line.split(' ')[1]), MAX_SECONDS);
  const before = acknowledged;
  latencies = [];
  if (!running) {
    running = true;
    for (const terminal of terminals) terminal.fill();
  }
  const began = performance.now();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  const took = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (quantile: number) => latencies[Math.floor(quantile * (latencies.length - 1))] ?? 0;
  console.log(JSON.stringify({ acknowledged: acknowledged - before, seconds: took, p50: at(0.5), p99: at(0.99) }));
}
for (const terminal of terminals) terminal.end();
