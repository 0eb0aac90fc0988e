/** All that Grafana is given, as files: the dashboards as JSON, and the provisioning that names them and their data source. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { fleetNow } from './fleet-now.ts';
import { DATA_SOURCE_UID } from './names.ts';
import { terminal } from './terminal.ts';

/** Where the dashboards are looked for on Grafana's machine. */
const DASHBOARDS_PATH = '/etc/tillwatch/dashboards';

/** Paths within the folder, and what stands there: the same bytes every time. */
export function grafanaFiles(): Record<string, string> {
  const dashboards = [fleetNow(), terminal()].map((dashboard) => [`dashboards/${dashboard.uid}.json`, json(dashboard)] as const);
  return {
    ...Object.fromEntries(dashboards),
    'provisioning/dashboards/tillwatch.yaml': PROVIDER,
    'provisioning/datasources/tillwatch.yaml': DATA_SOURCE,
  };
}

/** Panels are numbered here, so that Grafana numbers none itself and links to one stay good. */
function json(dashboard: Dashboard): string {
  const panels = dashboard.panels?.map((panel, i) => ({ id: i + 1, ...panel }));
  return `${JSON.stringify({ ...dashboard, panels }, null, 2)}\n`;
}

const PROVIDER = `# Written by "npm run generate": change dashboards/grafana/files.ts instead.
apiVersion: 1
providers:
  - name: Tillwatch
    type: file
    folder: Tillwatch
    # What is edited in the browser would be lost with the next version: save a copy there.
    allowUiUpdates: false
    options:
      path: ${DASHBOARDS_PATH}
`;

/** Grafana puts its own environment's values in. */
const DATA_SOURCE = `# Written by "npm run generate": change dashboards/grafana/files.ts instead.
# Grafana needs INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET and INFLUX_TOKEN in its environment; the token has to read the bucket.
apiVersion: 1
datasources:
  - name: Tillwatch
    uid: ${DATA_SOURCE_UID}
    type: influxdb
    access: proxy
    url: $INFLUX_URL
    editable: false
    jsonData:
      version: Flux
      organization: $INFLUX_ORG
      defaultBucket: $INFLUX_BUCKET
    secureJsonData:
      token: $INFLUX_TOKEN
`;
