/** The far side of a webhook: a real HTTP server that keeps what comes and answers as it is told. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

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
  data: { id: string; seq: number; severity: string; reason: string; state: string };
}

export interface AnswerOf {
  status: number;
  headers?: Record<string, string>;
  text?: string;
}

export const told = ({ body }: Delivery): Told => JSON.parse(body.toString());

export class Receiver {
  readonly deliveries: Delivery[] = [];
  /** Resolves with what to answer; null: the connection ends without an answer. */
  answer: (delivery: Delivery) => AnswerOf | null | Promise<AnswerOf | null> = () => ({ status: 204 });
  readonly #server: http.Server;
  #url = '';

  private constructor() {
    this.#server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => void this.#take(request, Buffer.concat(chunks), response));
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
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
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
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
