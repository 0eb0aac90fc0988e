/** Attacks on the whole product as it is started, in a process of its own whose memory is measured. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { Installation, type Process } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { sideBySide } from '../helpers/side-by-side.ts';
import { ATTACKS, type Target } from './attacks.ts';

const MEGABYTE = 1024 * 1024;
const PROBE = fileURLToPath(new URL('../helpers/memory-probe.mjs', import.meta.url));
const WITHIN_MS = 120_000;
/** What a process has more of after a while of work: less than each of the attacks would leave, were it kept. */
const MAY_GROW = 12 * MEGABYTE;

/** No limits of rates, so that an attack has its full force; and the neighbour comes from the same address as the attackers. */
const ENV = {
  NODE_OPTIONS: `--expose-gc --import ${PROBE}`,
  TILLWATCH_MAX_TERMINAL_PACKETS_PER_SECOND: '0',
  TILLWATCH_MAX_ADDRESS_FAILURES_PER_MINUTE: '0',
};

async function memoryInUse(product: Process): Promise<number> {
  const said = () => [...product.said.matchAll(/^memory in use: (\d+)$/gm)];
  const before = said().length;
  process.kill(product.pid, 'SIGUSR2');
  return Number((await eventually(() => said()[before] ?? Promise.reject(new Error('not said yet'))))[1]);
}

/** Reports one message after the other until it is told to stop; how many were acknowledged, which are all. */
async function neighbour({ port, token }: Target) {
  const client = await connectMqtt({ port, username: 'acme/GOOD0001', password: token('acme/GOOD0001'), clientId: 'GOOD0001' });
  let [running, acknowledged] = [true, 0];
  const report = async () => {
    for (; running; acknowledged += 1) {
      const payload = { v: 1, session: 'good', seq: acknowledged, samples: [{ at: Date.now() }] };
      await client.publish('pos/v1/acme/GOOD0001/report', JSON.stringify(payload));
      await delay(5);
    }
  };
  const reporting = report();
  return {
    async stop() {
      running = false;
      await reporting;
      await client.disconnect();
      return acknowledged;
    },
  };
}

it.concurrent.for(Object.entries(ATTACKS))(
  '%s: it lives, serves its neighbour, and its memory comes back',
  { timeout: WITHIN_MS },
  sideBySide(async ([, attack]) => {
    const installation = await Installation.create(ENV);
    const product = installation.start('start');
    await product.ready();
    const target = { port: product.mqttPort!, token: installation.token };
    // What is made once is made by then.
    for (let round = 0; round < 3; round += 1) {
      const warming = await neighbour(target);
      await delay(300);
      await warming.stop();
    }
    const before = await memoryInUse(product);

    const good = await neighbour(target);
    await attack(target);
    expect(await good.stop()).toBeGreaterThan(0);

    await eventually(async () => expect((await memoryInUse(product)) - before).toBeLessThan(MAY_GROW), { within: 30_000, every: 1_000 });
    expect([installation.failures, await installation.stopAll()]).toEqual([[], [0]]);
  }),
);
