/** *Fleet now*: who is there, what is wrong, who is about to run out, and how business goes. */
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { SEVERITIES } from '../../protocol/alerts.ts';
import { flux, type Query, read, readPoints, tagValues, WINDOW_MINUTES, within } from './flux.ts';
import { ALERT_WITHIN, MERCHANT_WITHIN, PRESENCE_WITHIN } from './layout.ts';
import { FLEET_NOW_UID } from './names.ts';
import {
  bars,
  COLOURS_OF_STATE,
  colour,
  DATA_SOURCE,
  lines,
  panel,
  SEVERITY_COLUMN,
  TO_TERMINAL,
  table,
  thresholds,
  unit,
} from './panels.ts';

const NO_ALERTS = 'No alerts';

export function fleetNow(): Dashboard {
  return new DashboardBuilder('Fleet now')
    .uid(FLEET_NOW_UID)
    .description('Terminals, alerts, headroom and transactions of the fleet, as they are now.')
    .tags(['tillwatch'])
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new QueryVariableBuilder('acquirer')
        .label('Acquirer')
        .datasource(DATA_SOURCE)
        .query(tagValues('presence', 'acquirer').text)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .includeAll(true)
        .allValue('.*')
        .current({ text: 'All', value: '$__all', selected: true }),
    )
    .withPanel(terminalsByState())
    .withPanel(firingAlerts())
    .withPanel(offlineTerminals())
    .withPanel(nearestTheirLimit())
    .withPanel(latestTransitions())
    .withPanel(samplesPerMinute())
    .withPanel(approvalRate())
    .withPanel(declines())
    .build();
}

function terminalsByState() {
  // By terminal, not by series: one that moved to another merchant has two. InfluxDB itself finds the last of each group.
  const now = read('presence', ['state'], within(PRESENCE_WITHIN)).matching('acquirer').group('acquirer', 'sn').last('_value');
  const states = Object.keys(COLOURS_OF_STATE) as (keyof typeof COLOURS_OF_STATE)[];
  const counts = now.sums([], (r) =>
    Object.fromEntries(states.map((state) => [state, flux`if ${r._value} == ${state} then 1.0 else 0.0`])),
  );
  const stat = panel(
    new Stat(),
    {
      title: 'Terminals by state',
      description: `The last state of each terminal that was told of within ${PRESENCE_WITHIN}. Unknown: we could not see it ourselves. Goodbye: it was switched off in good order.`,
      noValue: 'No terminal has been heard of',
      width: 12,
      height: 5,
    },
    counts,
  )
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .unit('short')
    .decimals(0);
  for (const state of states) stat.overrideByName(state, [colour(COLOURS_OF_STATE[state])]);
  return stat;
}

function offlineTerminals() {
  const query = read('presence', ['state'])
    .matching('acquirer')
    .group('acquirer', 'sn')
    .sort(['_time'])
    .holding('heldMs', (r) => flux`${r._value} == ${'offline'}`)
    .last('_value')
    .where((r) => flux`${r.heldMs} >= 0`)
    .set((r) => ({ since: flux`time(v: int(v: ${r._time}) - ${r.heldMs} * 1000000)` }))
    .group()
    .blanks('merchant', 'site')
    .keep('since', 'acquirer', 'merchant', 'site', 'sn')
    .sort(['since'], true)
    .limit(1000);
  return table(
    {
      title: 'Offline terminals',
      description: 'Terminals that are expected and not heard, the latest first; "since" reaches back as far as the time range does.',
      noValue: 'No terminal is offline',
      width: 12,
      height: 10,
    },
    query,
    {
      since: { title: 'Offline since' },
      sn: { title: 'Terminal', also: [TO_TERMINAL] },
      acquirer: { title: 'Acquirer' },
      merchant: { title: 'Merchant' },
      site: { title: 'Site' },
    },
  );
}

function firingAlerts() {
  const query = readPoints('alert', ['id', 'transition'], ['acquirer'], within(ALERT_WITHIN))
    .group('id')
    .sort(['_time'])
    .last('transition')
    .where((r) => flux`${r.transition} != ${'resolved'}`)
    .sums(['type'], (r) =>
      Object.fromEntries(SEVERITIES.map((severity) => [severity, flux`if ${r.severity} == ${severity} then 1.0 else 0.0`])),
    ) as Query<'type' | (typeof SEVERITIES)[number]>;
  return table(
    {
      title: 'Firing alerts by type',
      description: `Alerts whose last change within ${ALERT_WITHIN} was not that they were resolved.`,
      noValue: NO_ALERTS,
      width: 12,
      height: 5,
    },
    query,
    {
      type: { title: 'Type' },
      critical: { title: 'Critical', also: [colour('red')] },
      warning: { title: 'Warning', also: [colour('orange')] },
      info: { title: 'Info', also: [colour('blue')] },
    },
  );
}

function latestTransitions() {
  const query = readPoints('alert', ['transition', 'merchant', 'sn', 'reason', 'cause'], ['acquirer'])
    .blanks('acquirer')
    .keep('_time', 'transition', 'severity', 'type', 'reason', 'cause', 'acquirer', 'merchant', 'sn')
    .rename('_time', 'at')
    .sort(['at'], true)
    .limit(200);
  return table(
    { title: 'Latest changes of alerts', description: 'The latest 200 in the time range.', noValue: NO_ALERTS, width: 24, height: 9 },
    query,
    {
      at: { title: 'At' },
      transition: { title: 'Change' },
      severity: SEVERITY_COLUMN,
      type: { title: 'Type' },
      reason: { title: 'Reason' },
      cause: { title: 'Cause' },
      acquirer: { title: 'Acquirer' },
      merchant: { title: 'Merchant' },
      sn: { title: 'Terminal', also: [TO_TERMINAL] },
    },
  );
}

function nearestTheirLimit() {
  const query = readPoints('merchant', ['limit', 'held', 'pending', 'reclaimable', 'headroom'], ['acquirer'], within(MERCHANT_WITHIN))
    .group('acquirer', 'merchant')
    .sort(['_time'])
    .last('held')
    .group()
    .where((r) => flux`exists ${r.limit}`)
    .set((r) => ({ used: flux`${r.held} + ${r.pending}` }))
    .set((r) => ({ share: flux`if ${r.limit} > 0.0 then ${r.used} / ${r.limit} else 1.0` }))
    .keep('acquirer', 'merchant', 'used', 'limit', 'headroom', 'share', 'reclaimable')
    .sort(['headroom', 'acquirer', 'merchant'])
    .limit(200);
  return table(
    {
      title: 'Merchants nearest their limit',
      description:
        'Terminal slots. Used: held and reserved ones. Reclaimable: slots of replaced terminals that would be free if they were unbound.',
      noValue: 'No merchant has a limit',
      width: 12,
      height: 10,
    },
    query,
    {
      acquirer: { title: 'Acquirer' },
      merchant: { title: 'Merchant' },
      used: { title: 'Used' },
      limit: { title: 'Limit' },
      headroom: { title: 'Headroom' },
      share: {
        title: 'Used of limit',
        also: [
          unit('percentunit'),
          { id: 'min', value: 0 },
          { id: 'max', value: 1 },
          { id: 'custom.cellOptions', value: { type: 'gauge', mode: BarGaugeDisplayMode.Basic } },
          { id: 'thresholds', value: { mode: 'absolute', steps: SHARE_STEPS } },
        ],
      },
      reclaimable: { title: 'Reclaimable' },
    },
  );
}

/** The rules' own default thresholds: docs/alerts.md, quota.terminals. */
const SHARE_STEPS = [
  { value: null, color: 'green' },
  { value: 0.8, color: 'orange' },
  { value: 0.95, color: 'red' },
];

function samplesPerMinute() {
  const query = read('terminal', ['seq'])
    .matching('acquirer')
    .group('acquirer')
    .overTime('count')
    .set((r) => ({ _value: flux`float(v: ${r._value}) / ${WINDOW_MINUTES}` }))
    .keep('_time', '_value', 'acquirer');
  return lines(
    {
      title: 'Samples per minute',
      description: 'Samples of the terminals, by their own time; a report brings one or more.',
      noValue: 'No reports',
      width: 8,
      height: 8,
    },
    query,
    { by: 'acquirer' },
  )
    .interval('1m')
    .min(0);
}

function approvalRate() {
  const query = read('outcomes', ['n'])
    .matching('acquirer')
    .sumsOverTime(['acquirer'], (r) => ({
      approved: flux`if ${r.class} == ${'success'} or ${r.class} == ${'success_uncertain'} then ${r._value} else 0.0`,
      all: flux`${r._value}`,
    }))
    .where((r) => flux`${r.all} > 0.0`)
    .set((r) => ({ _value: flux`${r.approved} / ${r.all}` }))
    .keep('_time', '_value', 'acquirer');
  return lines(
    {
      title: 'Approval rate',
      description: 'Approved transactions of all that were tried, those included that got no answer.',
      noValue: 'No transactions',
      width: 8,
      height: 8,
    },
    query,
    { by: 'acquirer' },
  )
    .interval('5m')
    .unit('percentunit')
    .min(0)
    .max(1)
    .thresholds(thresholds([{ value: null, color: 'green' }]));
}

function declines() {
  const query = read('outcomes', ['n'])
    .matching('acquirer')
    .where((r) => flux`${r.class} != ${'success'} and ${r.class} != ${'success_uncertain'}`)
    .group('class')
    .overTime('sum')
    .keep('_time', '_value', 'class');
  return bars(
    {
      title: 'Declines by class',
      description: 'What was not approved, by whom its code condemns.',
      noValue: 'No declines',
      width: 8,
      height: 8,
    },
    query,
    { by: 'class' },
  ).interval('5m');
}
