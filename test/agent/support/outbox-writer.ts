// Puts messages into the outbox of its folder argument for ever, from several sides at once, and prints each seq once it is durable.
import { Outbox } from '../../../agent/outbox.ts';

const [dir = '', first = '0'] = process.argv.slice(2);
const outbox = await Outbox.open({ dir, maxBytes: 64 * 1024 * 1024 });
let seq = Number(first);
const side = async () => {
  for (;;) {
    const own = seq++;
    await outbox.put({ session: 's', seq: own, channel: 'report', payload: Buffer.alloc(100 + (own % 700), own % 251) });
    process.stdout.write(`${own}\n`);
  }
};
await Promise.all([side(), side(), side()]);
