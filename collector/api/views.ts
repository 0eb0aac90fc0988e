/** What the API shows of the watch's state. */
import type { Alert } from '../../protocol/alerts.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { type Language, remediesFor } from '../../watch/alerts/remedies.ts';
import { ratioOf } from '../../watch/fleet/availability.ts';
import { currentSession } from '../../watch/fleet/sessions.ts';
import { placeOf, type Terminal } from '../../watch/fleet/terminals.ts';
import type { Watch } from '../../watch/fold/watch.ts';

export interface TerminalView {
  acquirer: string;
  sn: string;
  merchant: string | null;
  site: string | null;
  state: ReturnType<Watch['presenceOf']>;
  lastSeenAt: number | null;
  last: Sample | null;
  lifecycle: string | null;
  tid: string | null;
  model: string | null;
  app: string | null;
  session: string | null;
  /** Receive time minus the terminal's clock at its birth, milliseconds. */
  skewMs: number | null;
  intervalSeconds: number | null;
  /** By month of the merchant's zone, the present one first. `ratio`: connected of expected time, null where none was expected. */
  availability: { month: string; expectedSeconds: number; ratio: number | null }[];
}

export function terminalView(watch: Watch, t: Readonly<Terminal>): TerminalView {
  const { acquirer, sn, birth, binding, presence, last } = t;
  const session = currentSession(t.sessions);
  return {
    acquirer,
    sn,
    ...placeOf(t),
    state: watch.presenceOf(t),
    lastSeenAt: presence.lifeAt,
    last,
    lifecycle: binding?.lifecycle ?? null,
    tid: tidOf(t),
    model: binding?.model ?? birth?.model ?? null,
    app: birth?.app ?? null,
    session: session?.id ?? null,
    skewMs: session?.skewMs ?? null,
    intervalSeconds: birth?.interval ?? null,
    availability: availabilityOf(t),
  };
}

function availabilityOf({ availability }: Readonly<Terminal>): TerminalView['availability'] {
  const months = availability ? [availability.present, availability.before].filter((month) => month !== null) : [];
  return months.map((month) => ({
    month: month.month,
    expectedSeconds: Math.round(month.expectedMs / 1000),
    ratio: ratioOf(month),
  }));
}

export function tidOf({ binding, birth }: Readonly<Terminal>): string | null {
  return binding?.tid ?? birth?.tid ?? null;
}

/** Counts by state, by acquirer and state, and by the cause of what is offline. */
export function fleetView(watch: Watch, acquirer: string | null) {
  const byState: Record<string, number> = {};
  const byAcquirer: Record<string, Record<string, number>> = {};
  let terminals = 0;
  for (const t of watch.state.terminals.values()) {
    if (acquirer !== null && t.acquirer !== acquirer) continue;
    const state = watch.presenceOf(t);
    terminals++;
    byState[state] = (byState[state] ?? 0) + 1;
    byAcquirer[t.acquirer] ??= {};
    byAcquirer[t.acquirer]![state] = (byAcquirer[t.acquirer]![state] ?? 0) + 1;
  }
  const byCause: Record<string, number> = {};
  const firing = { info: 0, warning: 0, critical: 0 };
  for (const alert of watch.state.alerts.values()) {
    if (acquirer !== null && alert.subject.acquirer !== acquirer) continue;
    firing[alert.severity]++;
    if (alert.type === 'terminal.offline') byCause[alert.cause] = (byCause[alert.cause] ?? 0) + 1;
  }
  return { at: watch.now, terminals, byState, byAcquirer, byCause, firing };
}

/** An alert in its reader's language. */
export function alertView(alert: Alert, language: Language): Alert {
  return { ...alert, remedy: remediesFor(alert.type, alert.reason, alert.cause, language) };
}

/** Chinese where it is asked for before English, else English. */
export function languageOf(acceptLanguage: string | undefined): Language {
  return /^\s*zh\b/i.test(acceptLanguage ?? '') ? 'zh' : 'en';
}
