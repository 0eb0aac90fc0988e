import { LogError } from '../log.ts';

/** What a failure of the disk means for a log. */
export function toLogError(cause: unknown): LogError {
  if (cause instanceof LogError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new LogError(code === 'ENOSPC' || code === 'EDQUOT' ? 'full' : 'failed', message, { cause });
}
