/** Tells both logs how far somebody has come. */
import type { LogReader } from '../../backbone/log.ts';
import { throwUnlessItPasses } from '../patience.ts';
import type { Position } from './position.ts';

/** Retention may take what is before a saved position, and nothing after it. What cannot be said now is said after the next save. */
export async function release(brokersLog: LogReader, ownerLog: LogReader, consumer: string, { brokers, owner }: Position): Promise<void> {
  const said = [brokersLog.release(consumer, brokers.batch), ownerLog.release(consumer, owner.batch)];
  await Promise.all(said.map((saying) => saying.catch(throwUnlessItPasses)));
}
