/** What a panel shows of the answer to its query: the names that its settings speak of. */
import type { Panel } from './dashboard.ts';

export interface Shown {
  /** Fields by name: a table's columns, and every field that has settings of its own. */
  fields: string[];
  /** Labels in the names of series. */
  labels: string[];
  links: string[];
}

export function shownBy(panel: Panel): Shown {
  const { defaults, overrides = [] } = panel.fieldConfig ?? {};
  const named = overrides.flatMap(({ matcher }) => (matcher.id === 'byName' ? [String(matcher.options)] : []));
  const links = overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'links').flatMap(({ value }) => urlsIn(value)));
  return {
    fields: [...new Set([...columnsOf(panel), ...named])],
    labels: [...(defaults?.displayName ?? '').matchAll(/\$\{__field\.labels\.(\w+)\}/g)].map(([, label]) => label!),
    links: [...links, ...(defaults?.links ?? []).map(({ url }) => url)],
  };
}

/** The columns that the table's order of columns names. */
function columnsOf({ transformations = [] }: Panel): string[] {
  return transformations.flatMap(({ id, options }) => {
    if (id !== 'organize') return [];
    const { indexByName = {} } = (options ?? {}) as { indexByName?: Record<string, number> };
    return Object.keys(indexByName);
  });
}

function urlsIn(links: unknown): string[] {
  return Array.isArray(links) ? links.map((link: { url?: unknown }) => String(link.url)) : [];
}
