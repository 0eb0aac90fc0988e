/** Lets in so many a second; the others wait in line. */
import type { BrokerClock } from '../clock.ts';
import { Bucket, type Rate } from './bucket.ts';

export interface Waiting {
  /** Whether nobody waits for the answer any more. */
  gone(): boolean;
  enter(): void;
}

/** The line moves in small steps, so that a storm is no long turn of the event loop. */
const STEP_MS = 50;

/** `delayed` is told of each who has to wait. The line is as long as there are connections, at most. */
export function createGate(rate: Rate, { uptime, every }: BrokerClock, delayed: () => void): (next: Waiting) => void {
  const bucket = new Bucket();
  let line: Waiting[] = [];
  let stopMoving: (() => void) | undefined;

  const mayEnter = () => bucket.waitMs(rate, uptime()) === 0;
  const letIn = (next: Waiting) => {
    bucket.spend(1, rate, uptime());
    next.enter();
  };

  function move(): void {
    let first = 0;
    for (; first < line.length; first += 1) {
      const next = line[first]!;
      if (next.gone()) continue;
      if (!mayEnter()) break;
      letIn(next);
    }
    line = line.slice(first).filter((next) => !next.gone());
    if (line.length > 0) return;
    stopMoving?.();
    stopMoving = undefined;
  }

  return (next) => {
    if (line.length === 0 && mayEnter()) return letIn(next);
    delayed();
    line.push(next);
    stopMoving ??= every(STEP_MS, move);
  };
}
