/** What is wrong with the deliveries that one endpoint's receiver got: at least once, the same id, in order, no gap in `sequence`. */
import { whyNotGenuine } from '../../collector/webhooks/signature.ts';
import { type Delivery, told } from '../helpers/receiver.ts';

export interface Checked {
  /** How many events the endpoint has. */
  events: number;
  /** The key that signs. */
  key: Buffer;
}

/** Each problem in words; none where the receiver got everything as it should. */
export function problemsOf(deliveries: readonly Delivery[], { events, key }: Checked): string[] {
  const problems: string[] = [];
  const ids = new Map<number, string>();
  const bodies = new Map<string, string>();
  const lastOfAlert = new Map<string, number>();
  for (const delivery of deliveries) {
    const { sequence, type, data } = told(delivery);
    const id = delivery.headers['webhook-id']!;
    const text = delivery.body.toString();
    const forged = whyNotGenuine(delivery.headers, delivery.body, key, 0, 0);
    if (forged !== null) problems.push(`event ${sequence}: ${forged}`);
    if ((ids.get(sequence) ?? id) !== id) problems.push(`event ${sequence} came as ${ids.get(sequence)} and as ${id}`);
    if ((bodies.get(id) ?? text) !== text) problems.push(`${id} came with two contents`);
    const before = lastOfAlert.get(data.id) ?? 0;
    if (type !== 'ping' && before > sequence) problems.push(`event ${sequence} of alert ${data.id} came after its event ${before}`);
    ids.set(sequence, id);
    bodies.set(id, text);
    lastOfAlert.set(data.id, Math.max(before, sequence));
  }
  if (new Set(ids.values()).size !== ids.size) problems.push('two events share an id');
  for (let sequence = 1; sequence <= events; sequence++) if (!ids.has(sequence)) problems.push(`event ${sequence} never came`);
  for (const sequence of ids.keys()) if (sequence > events) problems.push(`event ${sequence} is none of the endpoint's`);
  return problems;
}
