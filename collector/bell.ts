/** Wakes one who waits. A ring that nobody was waiting for is heard by the next who does. */
export class Bell {
  #rung = false;
  #wake = () => {};

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** Resolves once it has rung since the last time that it was heard, or when the signal aborts. */
  heard(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        signal.removeEventListener('abort', end);
        this.#wake = () => {};
        if (!signal.aborted) this.#rung = false;
        resolve();
      };
      this.#wake = end;
      if (this.#rung || signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }
}
