/** What can be said of dashboards without any data: whether what they name exists. */
import { DATA_SOURCE_UID } from '../names.ts';
import { type Dashboard, nameOf, type Panel } from './dashboard.ts';
import { variablesIn } from './fill.ts';
import { shownBy } from './shown.ts';

/** Everything wrong, one line each; empty where all is well. */
export function structureProblems(dashboards: readonly Dashboard[]): string[] {
  return dashboards.flatMap((dashboard) => {
    const twins = dashboards.filter(({ uid }) => uid === dashboard.uid).length > 1;
    const links = (dashboard.links ?? []).flatMap(({ url }) => (url === undefined ? [] : linkProblems(url, [], dashboard, dashboards)));
    const problems = [
      ...(twins ? ['another dashboard has its uid'] : []),
      ...links,
      ...variableProblems(dashboard),
      ...dashboard.panels.flatMap((panel) =>
        panelProblems(panel, dashboard, dashboards).map((problem) => `panel "${nameOf(panel)}": ${problem}`),
      ),
    ];
    return problems.map((problem) => `${dashboard.uid}: ${problem}`);
  });
}

/** A variable's query may name those before it. */
function variableProblems({ templating: { list } }: Dashboard): string[] {
  return list.flatMap(({ name, query }, i) => {
    const before = list.slice(0, i).map((other) => other.name);
    return queryProblems(query, before).map((problem) => `variable "${name}": ${problem}`);
  });
}

function panelProblems(panel: Panel, dashboard: Dashboard, dashboards: readonly Dashboard[]): string[] {
  const targets = panel.targets ?? [];
  const { fields, links } = shownBy(panel);
  const known = dashboard.templating.list.map(({ name }) => name);
  return [
    ...(targets.length === 0 ? ['it has no query'] : []),
    ...targets.flatMap(({ query = '', datasource }) => [
      ...(query === '' ? ['its query is empty'] : queryProblems(query, known)),
      ...(datasource?.uid === DATA_SOURCE_UID ? [] : [`its data source is ${datasource?.uid}, not ${DATA_SOURCE_UID}`]),
    ]),
    ...links.flatMap((url) => linkProblems(url, fields, dashboard, dashboards)),
  ];
}

function queryProblems(query: string, known: readonly string[]): string[] {
  return variablesIn(query).flatMap(({ name, format }) => [
    ...(known.includes(name) ? [] : [`there is no variable "${name}"`]),
    ...(format === 'regex' ? [] : [`\${${name}} is put in unescaped: write \${${name}:regex} in a pattern`]),
  ]);
}

/** A link is `/d/UID?var-NAME=…`; `fields`: what a row's link can speak of. */
function linkProblems(url: string, fields: readonly string[], from: Dashboard, dashboards: readonly Dashboard[]): string[] {
  const uid = /^\/d\/([\w-]+)/.exec(url)?.[1];
  const to = dashboards.find((dashboard) => dashboard.uid === uid);
  if (to === undefined) return [`the link ${url} leads to no dashboard`];
  const has = ({ templating: { list } }: Dashboard, name: string) => list.some((variable) => variable.name === name);
  const targets = [...url.matchAll(/[?&]var-(\w+)=/g)].map(([, name]) => name!).filter((name) => !has(to, name));
  const columns = [...url.matchAll(/\$\{__data\.fields\.(\w+)\}/g)].map(([, name]) => name!).filter((name) => !fields.includes(name));
  const sources = variablesIn(url).filter(({ name }) => !name.startsWith('__') && !has(from, name));
  return [
    ...targets.map((name) => `the link ${url} sets "${name}", which ${to.uid} does not have`),
    ...columns.map((name) => `the link ${url} reads the column "${name}", which the panel does not show`),
    ...sources.map(({ name }) => `the link ${url} reads the variable "${name}", which ${from.uid} does not have`),
  ];
}
