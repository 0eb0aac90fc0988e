import type { ControlWriter } from '../../backbone/control.ts';
import type { GivenOrder } from '../owner/outputs.ts';

/** Sends orders by the control log, which the brokers carry to terminals that are connected. Errors: LogError. */
export function sendBy(control: ControlWriter) {
  return (order: GivenOrder): Promise<void> => control.append({ kind: 'command', ...order });
}
