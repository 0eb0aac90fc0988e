/** What the panels of both dashboards have in common: their data source, their size, how a table shows its columns, colours. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import { GraphDrawStyle, GraphThresholdsStyleMode, StackingMode, VisibilityMode } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Severity } from '../../protocol/alerts.ts';
import type { Query } from './flux.ts';
import { DATA_SOURCE_UID, FLEET_NOW_UID, TERMINAL_UID } from './names.ts';

export const DATA_SOURCE = { type: 'influxdb', uid: DATA_SOURCE_UID };

/** Every panel says what it shows, and what it means that it shows nothing. */
export interface About {
  title: string;
  description: string;
  noValue: string;
  width: number;
  height: number;
}

interface Describable {
  title(title: string): this;
  description(text: string): this;
  noValue(text: string): this;
  span(columns: number): this;
  height(rows: number): this;
  datasource(reference: typeof DATA_SOURCE): this;
  withTarget(target: Builder<Dataquery>): this;
}

export function panel<P extends Describable>(builder: P, about: About, query: Query<string>): P {
  return builder
    .title(about.title)
    .description(about.description)
    .noValue(about.noValue)
    .span(about.width)
    .height(about.height)
    .datasource(DATA_SOURCE)
    .withTarget({ build: () => fluxTarget(query) });
}

/** The SDK has no type for a query of InfluxDB. */
function fluxTarget({ text }: Query<string>): Dataquery {
  return { refId: 'A', datasource: DATA_SOURCE, query: text } as unknown as Dataquery;
}

/** How a table shows a column: its heading and whatever else Grafana can override. */
export interface Column {
  title: string;
  also?: DynamicConfigValue[];
}

/** The columns are those of the query, in this order. */
export function table<C extends string>(about: About, query: Query<C>, columns: Readonly<Record<C, Column>>): Table {
  const names = Object.keys(columns) as C[];
  const order = Object.fromEntries(names.map((name, i) => [name, i]));
  const built = panel(new Table(), about, query as unknown as Query<string>).withTransformation({
    id: 'organize',
    options: { indexByName: order, excludeByName: {}, renameByName: {} },
  });
  for (const name of names) {
    const { title, also = [] } = columns[name];
    built.overrideByName(name, [{ id: 'displayName', value: title }, ...also]);
  }
  return built;
}

/** No line is drawn over a longer gap: nobody knows what was there. */
const GAP_MS = 3_600_000;

/** What a series is called: a text, or what it has in a column; without either it is named after its field. */
type SeriesName = { name: string } | { by: string };

/** One line for each series. */
export function lines(about: About, query: Query<'_time' | '_value'>, called?: SeriesName): TimeSeries {
  const built = panel(new TimeSeries(), about, query as unknown as Query<string>)
    .fillOpacity(5)
    .showPoints(VisibilityMode.Auto)
    .insertNulls(GAP_MS)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    );
  if (called === undefined) return built;
  return built.displayName('by' in called ? `\${__field.labels.${called.by}}` : called.name);
}

/** Stacked bars: amounts in a stretch of time. */
export function bars(about: About, query: Query<'_time' | '_value'>, called?: SeriesName): TimeSeries {
  return lines(about, query, called)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .lineWidth(0)
    .min(0)
    .stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

export function thresholds(steps: Threshold[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

export const AREAS = new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Area);

const COLOURS_OF_SEVERITY: Readonly<Record<Severity, string>> = { info: 'blue', warning: 'orange', critical: 'red' };

export const COLOURS_OF_STATE = {
  online: 'green',
  suspect: 'yellow',
  offline: 'red',
  unknown: 'purple',
  goodbye: 'blue',
  unregistered: 'text',
} as const;

export function colouredValues(colours: Readonly<Record<string, string>>): ValueMapping[] {
  const options = Object.fromEntries(Object.entries(colours).map(([value, color], index) => [value, { color, index }]));
  return [{ type: MappingType.ValueToText, options }];
}

const COLOURED_TEXT: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-text' } };

export const SEVERITY_COLUMN: Column = {
  title: 'Severity',
  also: [{ id: 'mappings', value: colouredValues(COLOURS_OF_SEVERITY) }, COLOURED_TEXT],
};

export function unit(name: string): DynamicConfigValue {
  return { id: 'unit', value: name };
}

export function colour(fixedColor: string): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor } };
}

/** On a row's serial number: the dashboard of that terminal, over the same time. */
export const TO_TERMINAL: DynamicConfigValue = {
  id: 'links',
  value: [
    {
      title: 'Show this terminal',
      url: `/d/${TERMINAL_UID}?var-acquirer=\${__data.fields.acquirer}&var-sn=\${__data.fields.sn}&\${__url_time_range}`,
    },
  ],
};

/** Back to the fleet of the terminal's acquirer, over the same time. */
export const TO_FLEET = new DashboardLinkBuilder('Fleet now')
  .type(DashboardLinkType.Link)
  .url(`/d/${FLEET_NOW_UID}?var-acquirer=\${acquirer:percentencode}`)
  .keepTime(true);
