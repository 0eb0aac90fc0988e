/** How long past alerts and commands are kept: time would fill the state with them. */
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { fromBytes } from '../rows.ts';
import { ALERT_ENDS, ALERT_IDS, ALERT_LOG, COMMAND_ENDS, COMMAND_LOG } from './outputs.ts';

const KEPT_MS = 400 * 86_400_000;
/** Rows that one save removes. */
const REMOVED_ROWS = 1_000;

/** Removes alerts that were resolved long ago. */
export function pruneAlerts(state: StateStore, now: number): Change[] {
  const changes: Change[] = [];
  for (const { key, value } of state.rows(ALERT_ENDS)) {
    if (timeOf(key) >= now - KEPT_MS || changes.length >= REMOVED_ROWS) break;
    changes.push({ table: ALERT_ENDS, key, value: null });
    const logKey = new TextDecoder().decode(value);
    const bytes = state.get(ALERT_LOG, logKey);
    const alert = bytes && fromBytes<Alert>(bytes);
    // It may have fired again since.
    if (!alert || alert.endsAt !== timeOf(key)) continue;
    changes.push({ table: ALERT_LOG, key: logKey, value: null }, { table: ALERT_IDS, key: alert.id, value: null });
  }
  return changes;
}

/** Removes commands that had their outcome long ago. */
export function pruneCommands(state: StateStore, now: number): Change[] {
  const changes: Change[] = [];
  for (const { key, value } of state.rows(COMMAND_ENDS)) {
    if (timeOf(key) >= now - KEPT_MS || changes.length >= REMOVED_ROWS) break;
    changes.push({ table: COMMAND_ENDS, key, value: null }, { table: COMMAND_LOG, key: new TextDecoder().decode(value), value: null });
  }
  return changes;
}

function timeOf(key: string): number {
  return Number(key.slice(0, key.indexOf('.')));
}
