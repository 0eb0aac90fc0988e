import type { LinkReading } from '../probes/link.ts';

/** Counts how often the link came back, and how long it stood, between two readings. */
export class LinkMeter {
  #now: () => number;
  #hasConnected = false;
  #reconnects = 0;
  #connectedMs = 0;
  #connectedSince: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  connected(): void {
    if (this.#hasConnected) this.#reconnects++;
    this.#hasConnected = true;
    this.#connectedSince = this.#now();
  }

  disconnected(): void {
    if (this.#connectedSince !== null) this.#connectedMs += this.#sinceMs(this.#connectedSince);
    this.#connectedSince = null;
  }

  take(): LinkReading {
    if (this.#connectedSince !== null) {
      this.#connectedMs += this.#sinceMs(this.#connectedSince);
      this.#connectedSince = this.#now();
    }
    const reading = { reconnects: this.#reconnects, connectedSeconds: Math.round(this.#connectedMs / 1000) };
    this.#reconnects = 0;
    this.#connectedMs = 0;
    return reading;
  }

  /** A clock that was set back has passed no time, and one that jumped a year ahead not a year. */
  #sinceMs(at: number): number {
    return Math.min(Math.max(0, this.#now() - at), 31_622_400_000);
  }
}
