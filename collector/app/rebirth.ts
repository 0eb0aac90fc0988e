import type { ControlWriter } from '../../backbone/control.ts';
import type { TerminalId } from '../../protocol/topics.ts';

/** A command that reaches a terminal later than this says nothing to it any more. */
const EXPIRES_MS = 5 * 60_000;

/** Asks a terminal for its birth: by a command in the control log, which the brokers carry. Errors: LogError. */
export function rebirthBy(control: ControlWriter) {
  return ({ acquirer, sn, at }: TerminalId & { at: number }): Promise<void> =>
    control.append({
      kind: 'command',
      at,
      acquirer,
      sn,
      command: { v: 1, id: `rebirth-${sn}-${at}`, type: 'rebirth', expires: at + EXPIRES_MS },
    });
}
