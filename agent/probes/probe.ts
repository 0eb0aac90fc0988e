import type { Sample } from '../../protocol/schemas/sample.ts';

/** A source of samples. */
export interface Probe {
  readonly name: string;
  /** What it has to tell can be had later as well: it is not read while the outbox is filling up. */
  readonly recorded: boolean;
  /** When there is something to read, epoch milliseconds; null where there will be nothing any more. */
  nextAt(): number | null;
  /** What there is to tell at `now`, oldest first and each sample once; more may be left for the next call. */
  read(now: number): Promise<Sample[]>;
  close(): Promise<void>;
}
