/** The far side of a webhook: a real HTTP server that keeps what comes and answers as it is told. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from './side-by-side.ts';

export interface Delivery {
  /** Header names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** The members of a delivery's body that tests read. */
export interface Told {
  type: string;
  timestamp: string;
  sequence: number;
  data: { id: string; type: string; seq: number; severity: string; reason: string; state: string };
}

export interface AnswerOf {
  status: number;
  headers?: Record<string, string>;
  text?: string;
}

export const told = ({ body }: Delivery): Told => JSON.parse(body.toString());

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
/** Of the authority that vouches for a receiver over TLS. */
export const TEST_CA_FILE = fixture('ca.pem');

export class Receiver {
  readonly deliveries: Delivery[] = [];
  /** Resolves with what to answer; null: the connection ends without an answer. */
  answer: (delivery: Delivery) => AnswerOf | null | Promise<AnswerOf | null> = () => ({ status: 204 });
  readonly #server: http.Server;
  readonly #tls: boolean;
  #url = '';

  private constructor(tls: boolean) {
    this.#tls = tls;
    const serve = (request: http.IncomingMessage, response: http.ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => void this.#take(request, Buffer.concat(chunks), response));
    };
    const credentials = () => ({ cert: readFileSync(fixture('server.pem')), key: readFileSync(fixture('server.key')) });
    this.#server = tls ? https.createServer(credentials(), serve) : http.createServer(serve);
  }

  static async start({ tls = false } = {}): Promise<Receiver> {
    const receiver = new Receiver(tls);
    await receiver.open();
    onTestFinished(() => receiver.close());
    return receiver;
  }

  get url(): string {
    return this.#url;
  }

  /** What it was told, in the order in which it came. */
  get told(): Told[] {
    return this.deliveries.map(told);
  }

  /** Listens, again at the same address where it listened before. */
  async open(): Promise<void> {
    const port = this.#url === '' ? 0 : Number(new URL(this.#url).port);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.#url = `${this.#tls ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #take(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse): Promise<void> {
    const delivery = { headers: request.headers as Record<string, string>, body };
    this.deliveries.push(delivery);
    const answer = await this.answer(delivery);
    if (answer === null) response.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.text);
  }
}
