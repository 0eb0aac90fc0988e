/** Tells what a client did wrong from what can happen to any connection. */
import { OversizedFrameError } from './front/frames.ts';
import { type ConnectionProblem, RefusedError } from './refusals.ts';

/** Errors of Aedes itself (lib/client.js, lib/write.js), as it and the front word them; those of the parser are the rest. */
const AEDES_ERRORS: Record<string, ConnectionProblem | undefined> = {
  'connect did not arrive in time': 'connect_timeout',
  'drain timeout': 'slow_reader',
  'maxInflightInbound exceeded': 'too_many_unreleased',
  'topic has too many levels': 'too_many_levels',
  'keep alive timeout': undefined,
  'connection closed': undefined,
};

/** Why a connection that ended with `error` is to be counted as refused; undefined where it merely broke, or was counted before. */
export function connectionProblem(error: Error): ConnectionProblem | undefined {
  if (error instanceof OversizedFrameError) return 'oversized';
  const isCounted = error instanceof RefusedError || 'errorCode' in error;
  const isFromSystem = 'code' in error && error.code !== undefined;
  if (isCounted || isFromSystem) return undefined;
  // What follows a colon is a figure.
  const [message = ''] = error.message.split(':');
  return Object.hasOwn(AEDES_ERRORS, message) ? AEDES_ERRORS[message] : 'bad_packet';
}
