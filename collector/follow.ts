/**
 * A signal that aborts when another one does, or when it is ended. To be ended: what AbortSignal.any makes of a signal that lives long
 * stays with it as long as that.
 */
export function follow(signal: AbortSignal): { signal: AbortSignal; end(): void } {
  const own = new AbortController();
  const abort = () => own.abort();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return {
    signal: own.signal,
    end() {
      signal.removeEventListener('abort', abort);
      abort();
    },
  };
}
