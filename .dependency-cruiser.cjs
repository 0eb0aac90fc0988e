/** The import rules between folders: docs/architecture.md draws the same picture. */
const FOLDERS = {
  protocol: [],
  backbone: ['protocol'],
  watch: ['protocol'],
  agent: ['protocol'],
  simulator: ['protocol'],
  broker: ['protocol', 'backbone'],
  collector: ['protocol', 'backbone', 'watch'],
  dashboards: ['protocol'],
  cli: ['protocol', 'backbone', 'watch', 'broker', 'collector', 'agent', 'simulator', 'dashboards'],
};
const names = Object.keys(FOLDERS);

const folderRules = names.map((folder) => ({
  name: `${folder}-imports`,
  comment: `${folder}/ may import ${FOLDERS[folder].join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: { path: `^(${names.filter((n) => n !== folder && !FOLDERS[folder].includes(n)).join('|')}|test|scripts)/` },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'watch-is-pure',
      comment: 'the fold knows no files, sockets or clocks',
      severity: 'error',
      from: { path: '^watch/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'watch-reaches-no-node-api',
      comment: 'nor through what it imports',
      severity: 'error',
      from: { path: '^watch/' },
      to: { reachable: true, path: '^(node:)?(fs|net|http|https|tls|zlib|crypto|os|path|process|timers|worker_threads|child_process)$' },
    },
    {
      name: 'the-product-runs-without-the-sdk',
      comment: 'the built dashboards are shipped; what builds them is for those who change them',
      severity: 'error',
      from: { path: '^cli/' },
      to: { reachable: true, path: '@grafana/grafana-foundation-sdk' },
    },
    { name: 'resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
