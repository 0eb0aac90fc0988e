const MESSAGES = {
  outbox_locked: 'another agent uses this outbox: stop it, or give this one a folder of its own (TILLWATCH_AGENT_OUTBOX)',
  outbox_failed: 'the outbox cannot be written: check the folder of TILLWATCH_AGENT_OUTBOX, its rights and its free space',
  trace_unreadable: 'the trace cannot be played: check TILLWATCH_AGENT_TRACE',
  unreachable: 'the broker cannot be reached: check TILLWATCH_AGENT_URL and the network',
  refused: 'the broker refuses this terminal: enroll it again and set TILLWATCH_AGENT_TOKEN',
  unacknowledged: 'the broker does not acknowledge: what it has not acknowledged is kept in the outbox',
  stopped: 'stopped before all was sent',
} as const;

const WORTH_A_RETRY: readonly (keyof typeof MESSAGES)[] = ['outbox_failed', 'unreachable', 'unacknowledged'];

export class AgentError extends Error {
  readonly code: keyof typeof MESSAGES;
  /** Whether the same may succeed later, with nothing changed by a person. */
  readonly retry: boolean;

  constructor(code: keyof typeof MESSAGES, detail: string, options?: ErrorOptions) {
    super(`${MESSAGES[code]} (${detail})`, options);
    this.name = 'AgentError';
    this.code = code;
    this.retry = WORTH_A_RETRY.includes(code);
  }
}

/** What went wrong, in a few words: the operating system's code where there is one. */
export function briefly(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
