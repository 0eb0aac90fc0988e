import { expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { START, type TestBroker, testBroker } from './harness.ts';

const HOUR_MS = 3_600_000;
const TOPIC = 'pos/v1/acme/SN0001/report';

/** What the log has, by its time after the start: heartbeats with their uptime, messages with their payload. */
function logged({ records }: TestBroker): string[] {
  return records().map((record) => {
    const what =
      record.kind === 'heartbeat'
        ? `beat ${record.uptime}`
        : record.kind === 'arrival'
          ? Buffer.from(record.payload).toString()
          : record.kind;
    return `${record.at - START}: ${what}`;
  });
}

it.each([HOUR_MS, -HOUR_MS])('a heartbeat goes before the first message that is stamped by a clock that stepped (%i ms)', async (step) => {
  const b = await testBroker();
  const terminal = await b.terminal('acme/SN0001');
  b.clock.pass(300);
  await terminal.publish(TOPIC, 'before');
  b.clock.step(step);
  await terminal.publish(TOPIC, 'after');
  await terminal.publish(TOPIC, 'by the long way', { retain: true });
  b.clock.step(-step);
  await terminal.publish(TOPIC, 'put right, by the long way', { retain: true });

  expect(logged(b)).toEqual([
    '0: beat 0',
    '300: before',
    `${300 + step}: beat 300`,
    `${300 + step}: after`,
    `${300 + step}: by the long way`,
    '300: beat 300',
    '300: put right, by the long way',
  ]);
});

it('a heartbeat that is under way when the clock steps does not stand for the one after', async () => {
  const b = await testBroker();
  const terminal = await b.terminal('acme/SN0001');
  b.log.hold();
  b.clock.pass(1_000);
  b.clock.step(HOUR_MS);
  const done = terminal.publish(TOPIC, 'after');
  await eventually(() => expect(b.broker.stats().pendingAppends).toBe(1));
  b.log.release();
  await done;

  expect(logged(b).slice(1)).toEqual(['1000: beat 1000', `${1_000 + HOUR_MS}: beat 1000`, `${1_000 + HOUR_MS}: after`]);
});

it('a clock that is slewed by less than a second needs none', async () => {
  const b = await testBroker();
  const terminal = await b.terminal('acme/SN0001');
  b.clock.step(1_000);
  await terminal.publish(TOPIC, 'slewed');

  expect(logged(b)).toEqual(['0: beat 0', '1000: slewed']);
});
