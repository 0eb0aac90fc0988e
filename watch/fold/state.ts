/** Everything the fold keeps, as tables that can be saved and loaded. */
import type { Alert } from '../../protocol/alerts.ts';
import type { OperatorWindow } from '../../protocol/operator.ts';
import type { Warning } from '../alerts/foresight.ts';
import type { ReportDay } from '../alerts/report-days.ts';
import type { Matched } from '../alerts/windows.ts';
import { type BlindnessRow, newBlindness } from '../fleet/blindness.ts';
import type { Commands } from '../fleet/commands.ts';
import type { StagedRow } from '../fleet/imports.ts';
import type { Merchant } from '../fleet/merchants.ts';
import type { Outage } from '../fleet/outages.ts';
import type { PlatformRow } from '../fleet/platform.ts';
import type { ClockSteps } from '../fleet/steps.ts';
import type { Terminal } from '../fleet/terminals.ts';
import type { Condition } from '../rules/verdict.ts';
import { Table } from './table.ts';

/** What would have been an alert, but for maintenance; `releaseAt`: when it becomes one, null while that is open. */
export interface Withheld extends Matched {
  condition: Condition;
  releaseAt: number | null;
}

/** The fold's own row: one, under the key `fold`. */
export interface Meta {
  /** The time of the last entry, epoch milliseconds; nothing older is believed. */
  now: number;
  blindness: BlindnessRow;
  /** What waits to be judged when time moves on. */
  touched: { merchants: string[]; terminals: string[] };
  /** How often each subject opened an alert in the present millisecond. */
  opened: Record<string, number>;
  /** Until when groups that lost very many are not compared again, by their keys. */
  compared: Record<string, number>;
  /** The rules document in force; null is the rules that the fold was made with. */
  rules: Record<string, unknown> | null;
}

const META_KEY = 'fold';

export class State {
  readonly terminals = new Table<Terminal>('terminals');
  readonly merchants = new Table<Merchant>('merchants');
  /** Firing alerts, by the key of type and subject. */
  readonly alerts = new Table<Alert>('alerts');
  /** Outages that go on, by the key of what their members share. */
  readonly outages = new Table<Outage>('outages');
  /** Warnings of which it is open whether they came true, by the key of what they warn of and the subject's. */
  readonly warnings = new Table<Warning>('warnings');
  /** By acquirer and day. */
  readonly reportDays = new Table<ReportDay>('reports');
  /** Silences and maintenance, by their ids. */
  readonly windows = new Table<OperatorWindow>('windows');
  /** By the key that the alert would have. */
  readonly withheld = new Table<Withheld>('withheld');
  /** How our own parts are: one row. */
  readonly platform = new Table<PlatformRow>('platform');
  /** Rows of scopes and models. */
  readonly rows = new Table<object>('registry');
  /** Rows of an import that has not been committed. */
  readonly staged = new Table<StagedRow>('staged');
  /** Commands without an outcome, by terminal. */
  readonly commands = new Table<Commands>('commands');
  /** By broker node. */
  readonly steps = new Table<ClockSteps>('steps');
  readonly #meta = new Table<Meta>('meta');

  constructor() {
    this.#meta.set(META_KEY, {
      now: 0,
      blindness: newBlindness(),
      touched: { merchants: [], terminals: [] },
      opened: {},
      compared: {},
      rules: null,
    });
  }

  get meta(): Readonly<Meta> {
    return this.#meta.get(META_KEY)!;
  }

  changeMeta(): Meta {
    return this.#meta.change(META_KEY)!;
  }

  readonly tables = [
    this.terminals,
    this.merchants,
    this.alerts,
    this.outages,
    this.warnings,
    this.reportDays,
    this.windows,
    this.withheld,
    this.platform,
    this.rows,
    this.staged,
    this.commands,
    this.steps,
    this.#meta,
  ] as unknown as readonly Table<object>[];
}
