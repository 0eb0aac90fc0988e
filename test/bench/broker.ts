/**
 * A broker for a measurement: over the real segment log, or over a log that keeps nothing; by plain MQTT, or TLS with the certificate in
 * its folder. Prints its port; on a line of standard input collects garbage, where it may, and prints the size of its heap in bytes; ends
 * on SIGTERM.
 */
import { createInterface } from 'node:readline';
import type { LogWriter } from '../../backbone/log.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';
import { startBroker } from '../../broker/broker.ts';

const [dir, log, scheme = 'mqtt'] = process.argv.slice(2) as [string, 'segments' | 'none', 'mqtt' | 'mqtts' | undefined];

/** Says at once that all is done. */
class NoLog implements LogWriter {
  readonly stats = { batches: 0, records: 0, bytes: 0, lastSyncMs: 0, syncMode: 'inline' as const };

  append(): Promise<{ batch: number; index: number }> {
    return Promise.resolve({ batch: ++this.stats.batches, index: 0 });
  }

  add(_record: Uint8Array, done: () => void): void {
    this.stats.batches++;
    queueMicrotask(done);
  }

  async close(): Promise<void> {}
}

const writer = log === 'segments' ? await openSegmentWriter(`${dir}/brokers`, { maxBytes: 8 * 1024 ** 3 }) : new NoLog();
const broker = await startBroker({
  node: 'bench',
  listeners: [{ scheme, host: '127.0.0.1', port: 0 }],
  tls: scheme === 'mqtts' ? { certFile: `${dir}/cert.pem`, keyFile: `${dir}/key.pem` } : undefined,
  // A few terminals stand for many.
  limits: { terminal_packets: 0 },
  log: writer,
  control: await openSegmentReader(`${dir}/control`),
  keysFile: `${dir}/keys.json`,
  say: (line) => console.error(line),
});
console.log(JSON.stringify({ port: broker.addresses[0]!.port }));
createInterface({ input: process.stdin }).on('line', () => {
  globalThis.gc?.();
  console.log(JSON.stringify({ heap: process.memoryUsage().heapUsed }));
});
process.once('SIGTERM', async () => {
  const { log: stats } = broker.stats();
  console.log(JSON.stringify({ batches: stats.batches, records: stats.records }));
  await broker.stop();
  await writer.close();
  process.exit(0);
});
