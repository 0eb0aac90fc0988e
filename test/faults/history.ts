/** What was promised, against what is there: a pure function over everything that a round of faults left behind. */

/** A report of one sample. Its identity in the log is (user, session, seq), in the store (user, at). */
export interface SentReport {
  /** `acquirer/sn` */
  user: string;
  session: string;
  seq: number;
  at: number;
  rsrp: number;
  /** The last durable batch at the moment of the PUBACK; null where there was none. */
  durableAtPuback: number | null;
}

/** A point of the measurement `terminal`. */
export interface StoredReport {
  user: string;
  at: number;
  seq: number;
  rsrp: number;
  merchant: string;
}

/** A terminal's merchant from `at` on, as the owner's log says. */
export interface Move {
  user: string;
  merchant: string;
  at: number;
}

/** A change that was asked for not before `from` and confirmed at `until`. */
export interface AskedMove {
  user: string;
  merchant: string;
  from: number;
  until: number;
}

/** A transition of an alert, as announced or as folded. */
export interface Told {
  id: string;
  transition: string;
  at: number;
}

export interface History {
  sent: readonly SentReport[];
  /** The batch in which a report stands first, by `user session seq`. */
  logged: ReadonlyMap<string, number>;
  stored: readonly StoredReport[];
  moves: readonly Move[];
  asked: readonly AskedMove[];
  /** What the store and the outbox hold, in the order of the outbox. */
  announced: readonly Told[];
  /** What a fold over the logs from their first entry on leads to. */
  folded: readonly Told[];
  /** The ids that the API lists. */
  listed: readonly string[];
}

export const PROBLEMS = [
  'missing',
  'doubled',
  'never_sent',
  'changed',
  'wrong_tag',
  'wrong_time',
  'early_puback',
  'alert_lost',
  'alert_twice',
  'alert_unfounded',
  'alert_life',
] as const;

export interface Problem {
  kind: (typeof PROBLEMS)[number];
  what: string;
}

/** A registry change is stamped no later than its confirmation, and by a heartbeat at most before it was asked for. */
const HEARTBEAT_MS = 1_000;

export function checkHistory(history: History): Problem[] {
  return [...checkReports(history), ...checkPubacks(history), ...checkMoves(history), ...checkAlerts(history)];
}

export function logKey({ user, session, seq }: Pick<SentReport, 'user' | 'session' | 'seq'>): string {
  return `${user} ${session} ${seq}`;
}

function storeKey({ user, at }: Pick<StoredReport, 'user' | 'at'>): string {
  return `${user} ${at}`;
}

function* checkReports({ sent, stored, moves }: History): Generator<Problem> {
  const rows = groupBy(stored, ({ user }) => user);
  const moved = groupBy(moves, ({ user }) => user);
  for (const [user, reports] of groupBy(sent, (report) => report.user)) {
    yield* checkUser(reports, rows.get(user) ?? [], moved.get(user) ?? []);
    rows.delete(user);
  }
  for (const [, strays] of rows) for (const row of strays) yield { kind: 'never_sent', what: storeKey(row) };
}

function* checkUser(reports: readonly SentReport[], stored: readonly StoredReport[], moves: readonly Move[]): Generator<Problem> {
  const rows = groupBy(stored, ({ at }) => at);
  for (const report of reports) {
    const key = storeKey(report);
    const found = rows.get(report.at) ?? [];
    rows.delete(report.at);
    if (found.length === 0 && report.durableAtPuback !== null) yield { kind: 'missing', what: `${key}, seq ${report.seq}` };
    if (found.length > 1) yield { kind: 'doubled', what: `${key}: ${found.length} times` };
    for (const row of found) yield* checkRow(report, row, merchantAt(moves, report));
  }
  for (const [, strays] of rows) for (const row of strays) yield { kind: 'never_sent', what: storeKey(row) };
}

function* checkRow(report: SentReport, row: StoredReport, merchant: string): Generator<Problem> {
  if (row.seq !== report.seq || row.rsrp !== report.rsrp)
    yield { kind: 'changed', what: `${storeKey(row)}: seq ${row.seq}, rsrp ${row.rsrp}` };
  if (row.merchant !== merchant) yield { kind: 'wrong_tag', what: `${storeKey(row)}: under ${row.merchant}, not ${merchant}` };
}

function merchantAt(moves: readonly Move[], { at }: SentReport): string {
  return (moves.findLast((move) => move.at <= at) ?? moves[0])?.merchant ?? '';
}

function* checkPubacks({ sent, logged }: History): Generator<Problem> {
  for (const report of sent) {
    const { durableAtPuback } = report;
    const batch = logged.get(logKey(report)) ?? Number.POSITIVE_INFINITY;
    if (durableAtPuback !== null && batch > durableAtPuback)
      yield { kind: 'early_puback', what: `${logKey(report)}: at ${durableAtPuback}, stands in ${batch}` };
  }
}

/** The same change asked for again, because its answer was lost, changes nothing. */
function* checkMoves({ moves, asked }: History): Generator<Problem> {
  for (const [user, wanted] of groupBy(asked, (move) => move.user)) {
    const made = moves.filter((move) => move.user === user);
    const distinct = made.filter((move, i) => move.merchant !== made[i - 1]?.merchant);
    if (distinct.length > wanted.length)
      yield { kind: 'wrong_time', what: `${user}: ${distinct.length} moves, asked for ${wanted.length}` };
    for (const [i, { merchant, from, until }] of wanted.entries()) {
      const move = distinct[i];
      const fits = move?.merchant === merchant && move.at >= from - HEARTBEAT_MS && move.at <= until;
      if (!fits) yield { kind: 'wrong_time', what: `${user} to ${merchant} at ${move?.at}, asked for at ${from} to ${until}` };
    }
  }
}

function* checkAlerts({ announced, folded, listed }: History): Generator<Problem> {
  const told = groupBy(announced, tellKey);
  const due = groupBy(folded, tellKey);
  // One alert may change twice in a millisecond: of our own parts, while time stands still.
  for (const [key, { length: times }] of told) {
    const dueTimes = due.get(key)?.length ?? 0;
    if (dueTimes === 0) yield { kind: 'alert_unfounded', what: key };
    else if (times > dueTimes) yield { kind: 'alert_twice', what: `${key}: ${times} times, and due ${dueTimes}` };
  }
  for (const [key, { length: dueTimes }] of due) {
    const times = told.get(key)?.length ?? 0;
    if (times < dueTimes) yield { kind: 'alert_lost', what: times === 0 ? key : `${key}: ${times} times of ${dueTimes}` };
  }
  const lives = groupBy(announced, (one) => one.id);
  for (const [id, life] of lives) yield* checkLife(id, life, listed.filter((other) => other === id).length);
  for (const id of new Set(listed)) if (!lives.has(id)) yield { kind: 'alert_unfounded', what: `${id}: listed, and never announced` };
}

/** Fired once and first; resolved once at most, and last; listed once. */
function* checkLife(id: string, life: readonly Told[], timesListed: number): Generator<Problem> {
  const told = life.map(({ transition }) => transition);
  const fits = told.lastIndexOf('fired') === 0 && (!told.includes('resolved') || told.indexOf('resolved') === told.length - 1);
  if (!fits) yield { kind: 'alert_life', what: `${id}: ${told.join(', ')}` };
  if (timesListed > 1) yield { kind: 'alert_twice', what: `${id}: listed ${timesListed} times` };
  if (timesListed === 0) yield { kind: 'alert_lost', what: `${id}: not listed` };
}

function tellKey({ id, transition, at }: Told): string {
  return `${id} ${transition} ${at}`;
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
