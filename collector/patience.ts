/** Waits out what passes by itself, a full disk above all. Says once that a part waits, and once that all go on. */
import { LogError } from '../backbone/log.ts';
import { StateError } from '../backbone/state.ts';

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 8_000;

export interface Waiting {
  /** Ends early when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export class Patience {
  readonly #clock: Waiting;
  readonly #say: (line: string) => void;
  readonly #waiting = new Map<object, Error>();

  constructor(clock: Waiting, say: (line: string) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  /** Why a part waits; null where none does. */
  get trouble(): string | null {
    const [error] = this.#waiting.values();
    return error ? `${error.message}: nothing is lost, it goes on by itself` : null;
  }

  /**
   * Tries until it succeeds, more slowly each time; `onWait` is told why before each wait. Errors: what does not pass by itself; once
   * the signal has aborted, the last one.
   */
  async outlast<T>(attempt: () => Promise<T>, signal: AbortSignal, onWait: (error: Error) => void = () => {}): Promise<T> {
    const self = {};
    for (let delay = FIRST_DELAY_MS; ; delay = Math.min(2 * delay, LAST_DELAY_MS)) {
      try {
        const result = await attempt();
        this.#goOn(self);
        return result;
      } catch (error) {
        if (!passes(error) || signal.aborted) {
          this.#waiting.delete(self);
          throw error;
        }
        this.#wait(self, error);
        onWait(error);
        await this.#clock.sleep(delay, signal);
      }
    }
  }

  #wait(self: object, error: Error): void {
    const first = this.#waiting.size === 0;
    this.#waiting.set(self, error);
    if (first) this.#say(this.trouble!);
  }

  #goOn(self: object): void {
    if (this.#waiting.delete(self) && this.#waiting.size === 0) this.#say('logs and state can be written again: all goes on');
  }
}

/** For what is made good by a later call of the same kind. */
export function throwUnlessItPasses(error: unknown): void {
  if (!passes(error)) throw error;
}

/** Whether the same call may succeed later. */
function passes(error: unknown): error is LogError | StateError {
  return (error instanceof LogError || error instanceof StateError) && error.retry;
}
