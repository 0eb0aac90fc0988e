/** *Terminal*: one terminal over time, and what its merchant's transactions came to. */
import { LineInterpolation, VisibilityMode } from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { bandsOf } from '../../protocol/signal/bands.ts';
import { flux, pattern, type Query, read, readPoints, tagValues, within } from './flux.ts';
import { type Field, PRESENCE_WITHIN } from './layout.ts';
import { TERMINAL_UID } from './names.ts';
import {
  type About,
  AREAS,
  bars,
  COLOURS_OF_STATE,
  colouredValues,
  DATA_SOURCE,
  lines,
  panel,
  SEVERITY_COLUMN,
  TO_FLEET,
  table,
  thresholds,
} from './panels.ts';

const NOT_REPORTED = 'Not reported';

export function terminal(): Dashboard {
  return new DashboardBuilder('Terminal')
    .uid(TERMINAL_UID)
    .description(
      'One terminal over time: presence, signal, slots, power, connection, SIM use, its alerts, its and the transactions of its merchant.',
    )
    .tags(['tillwatch'])
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(TO_FLEET)
    .withVariable(variable('acquirer', tagValues('presence', 'acquirer')).label('Acquirer'))
    .withVariable(variable('sn', tagValues('presence', 'sn', ['acquirer'])).label('Terminal'))
    .withVariable(variable('merchant', merchantOfTerminal()).hide(VariableHide.HideVariable))
    .withPanel(identity())
    .withPanel(presence())
    .withPanel(alerts())
    .withPanel(signal('rsrp', ['signal_rsrp', 'radio_rsrpMin'], 'dBm'))
    .withPanel(signal('rsrq', ['signal_rsrq', 'radio_rsrqMedian'], 'dB'))
    .withPanel(signal('sinr', ['signal_sinr', 'radio_sinrP10'], 'dB'))
    .withPanel(risk())
    .withPanel(reconnects())
    .withPanel(simUse())
    .withPanel(bindings())
    .withPanel(battery())
    .withPanel(mains())
    .withPanel(outcomes())
    .build();
}

function variable(name: string, query: Query<'_value'>) {
  return new QueryVariableBuilder(name)
    .datasource(DATA_SOURCE)
    .query(query.text)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** Transactions are counted by merchant, so the terminal's present one is a variable of its own, which nobody needs to see. */
function merchantOfTerminal() {
  return ofTerminal(read('presence', ['state'], within(PRESENCE_WITHIN)))
    .last('_value')
    .group()
    .sort(['_time'])
    .last('_value')
    .set((r) => ({ _value: flux`${r.merchant}` }))
    .keep('_value');
}

function ofTerminal<C extends string>(query: Query<C | 'acquirer' | 'sn'>): Query<C | 'acquirer' | 'sn'> {
  return query.matching('acquirer').matching('sn');
}

/** Its values over time: a series a field, whoever's terminal it was meanwhile. */
function over(fields: Field<'terminal'>[], aggregate: 'mean' | 'min' | 'max' | 'sum' | 'last') {
  return ofTerminal(read('terminal', fields)).group('_field').sort(['_time']).overTime(aggregate).keep('_time', '_value', '_field');
}

function identity() {
  const query = ofTerminal(read('terminal', ['seq']))
    .group()
    .sort(['_time'])
    .last('_value')
    .rename('_time', 'at')
    .blanks('merchant', 'site', 'model', 'app')
    .keep('at', 'merchant', 'site', 'model', 'app');
  return table(
    {
      title: 'What it is',
      description: 'Where it belonged and what ran on it at its last sample in the time range.',
      noValue: 'No sample in this time',
      width: 12,
      height: 4,
    },
    query,
    {
      at: { title: 'Last sample' },
      merchant: { title: 'Merchant' },
      site: { title: 'Site' },
      model: { title: 'Model' },
      app: { title: 'App' },
    },
  );
}

function presence() {
  const query = ofTerminal(read('presence', ['state']))
    .group()
    .sort(['_time'])
    .keep('_time', '_value');
  return timeline(
    { title: 'Presence', description: 'On change, and each hour.', noValue: 'Not heard of in this time', width: 12, height: 4 },
    query,
  )
    .displayName('Presence')
    .mappings(colouredValues(COLOURS_OF_STATE));
}

function timeline(about: About, query: Query<'_time' | '_value'>) {
  return panel(new StateTimeline(), about, query as unknown as Query<string>)
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .fillOpacity(70);
}

function alerts() {
  const query = readPoints('alert', ['transition', 'merchant', 'sn', 'reason', 'cause'], ['acquirer'])
    .where((r) => flux`${r.sn} =~ ${pattern('sn')} or (${r.sn} == ${''} and ${r.merchant} =~ ${pattern('merchant')})`)
    .keep('_time', 'transition', 'severity', 'type', 'reason', 'cause', 'sn')
    .rename('_time', 'at')
    .sort(['at'], true)
    .limit(200);
  return table(
    {
      title: 'Alerts of this terminal and its merchant',
      description: 'Their latest 200 changes in the time range; a blank terminal is the merchant.',
      noValue: 'No alerts',
      width: 24,
      height: 6,
    },
    query,
    {
      at: { title: 'At' },
      transition: { title: 'Change' },
      severity: SEVERITY_COLUMN,
      type: { title: 'Type' },
      reason: { title: 'Reason' },
      cause: { title: 'Cause' },
      sn: { title: 'Terminal' },
    },
  );
}

const WHAT_SIGNAL = {
  rsrp: { title: 'Signal strength (RSRP)', now: 'now', worst: 'least in the interval' },
  rsrq: { title: 'Signal quality (RSRQ)', now: 'now', worst: 'median of the interval' },
  sinr: { title: 'Signal to noise (SINR)', now: 'now', worst: '10th percentile of the interval' },
} as const;

/** Bands are those of LTE: those of NR begin elsewhere only for a good RSRP. */
function signal(metric: keyof typeof WHAT_SIGNAL, fields: [Field<'terminal'>, Field<'terminal'>], unit: string) {
  const { title, now, worst } = WHAT_SIGNAL[metric];
  const edges = bandsOf('lte', metric)!;
  const description = `${unit}. Good from ${edges.goodFrom}, fair from ${edges.fairFrom}, weak from ${edges.weakFrom}, critical below (LTE).`;
  return lines({ title, description, noValue: NOT_REPORTED, width: 8, height: 7 }, over(fields, 'min'))
    .interval('1m')
    .unit(unit)
    .thresholds(
      thresholds([
        { value: null, color: 'red' },
        { value: edges.weakFrom, color: 'orange' },
        { value: edges.fairFrom, color: 'yellow' },
        { value: edges.goodFrom, color: 'green' },
      ]),
    )
    .thresholdsStyle(AREAS)
    .overrideByName(fields[0], [{ id: 'displayName', value: now }])
    .overrideByName(fields[1], [{ id: 'displayName', value: worst }]);
}

function risk() {
  return lines(
    {
      title: 'Risk of a drop',
      description: 'The largest that the agent saw in each interval; 1 is certain.',
      noValue: NOT_REPORTED,
      width: 8,
      height: 7,
    },
    over(['radio_risk'], 'max'),
    { name: 'Risk' },
  )
    .interval('1m')
    .unit('percentunit')
    .min(0)
    .max(1);
}

function reconnects() {
  return bars(
    {
      title: 'Reconnects',
      description: 'Connections to the broker made anew, and registrations at a network.',
      noValue: NOT_REPORTED,
      width: 8,
      height: 7,
    },
    over(['link_reconnects', 'link_registrations'], 'sum'),
  )
    .interval('5m')
    .decimals(0)
    .overrideByName('link_reconnects', [{ id: 'displayName', value: 'Reconnects' }])
    .overrideByName('link_registrations', [{ id: 'displayName', value: 'Registrations' }]);
}

function simUse() {
  return lines(
    { title: 'SIM use', description: 'Bytes used of the plan since its reset.', noValue: NOT_REPORTED, width: 8, height: 7 },
    over(['sim_usedBytes'], 'last'),
    { name: 'Used' },
  )
    .interval('5m')
    .unit('bytes')
    .min(0);
}

function bindings() {
  const names = {
    bindings_terminals_bound: 'Terminals bound',
    bindings_terminals_limit: 'Terminal limit',
    bindings_peripherals_bound: 'Peripherals bound',
    bindings_peripherals_limit: 'Peripheral limit',
  } as const;
  const fields = Object.keys(names) as (keyof typeof names)[];
  const built = lines(
    { title: 'Bindings', description: 'As the terminal itself counts them.', noValue: NOT_REPORTED, width: 8, height: 7 },
    over(fields, 'last'),
  )
    .interval('5m')
    .lineInterpolation(LineInterpolation.StepAfter)
    .decimals(0)
    .min(0);
  for (const field of fields) built.overrideByName(field, [{ id: 'displayName', value: names[field] }]);
  return built;
}

function battery() {
  return lines({ title: 'Battery', description: 'Charge.', noValue: NOT_REPORTED, width: 8, height: 7 }, over(['power_battery'], 'last'), {
    name: 'Charge',
  })
    .interval('5m')
    .unit('percentunit')
    .min(0)
    .max(1);
}

function mains() {
  const query = ofTerminal(read('terminal', ['power_mains']))
    .group()
    .sort(['_time'])
    .set((r) => ({ _value: flux`if ${r._value} then ${'mains'} else ${'battery'}` }))
    .keep('_time', '_value');
  return timeline({ title: 'Power', description: 'What it runs on.', noValue: NOT_REPORTED, width: 8, height: 7 }, query)
    .displayName('Runs on')
    .mappings(colouredValues({ mains: 'green', battery: 'orange' }));
}

function outcomes() {
  const query = read('outcomes', ['n'])
    .matching('acquirer')
    .matching('merchant')
    .group('class')
    .overTime('sum')
    .keep('_time', '_value', 'class');
  return bars(
    {
      title: 'Transactions of its merchant, by class',
      description: 'Transactions are counted by merchant, so these are those of all its terminals.',
      noValue: 'No transactions',
      width: 24,
      height: 8,
    },
    query,
    { by: 'class' },
  ).interval('5m');
}
