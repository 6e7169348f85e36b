/** The arrows between rooms point one way; `docs/architecture.md` says why. */
const room = (name, allowed, comment) => ({
  name: `${name.replaceAll('/', '-')}-imports`,
  comment,
  severity: 'error',
  from: { path: `^${name}/` },
  to: {
    path: '^(contracts|lib|workflows|activities|workers|api|cli|infra|test|bench)/',
    pathNot: `^(${[name, ...allowed].join('|')})/`,
  },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    room('contracts', [], 'Contracts are what rooms agree on; they know none of them.'),
    {
      name: 'contracts-npm',
      severity: 'error',
      from: { path: '^contracts/' },
      to: { dependencyTypes: ['npm', 'core'], pathNot: 'node_modules/zod/' },
    },
    room('lib', ['contracts'], 'Domain libraries know nothing of who runs them.'),
    room('workflows', ['contracts'], 'Workflows decide; everything else is an activity.'),
    {
      name: 'workflows-npm',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { dependencyTypes: ['npm', 'core'], pathNot: 'node_modules/(@temporalio/(workflow|common)|zod)/' },
    },
    room('activities', ['contracts', 'lib'], 'Activities are thin adapters over lib.'),
    room(
      'workers',
      ['contracts', 'lib', 'activities', 'workflows'],
      'Workers compose; workflows are bundled, not called.',
    ),
    room('api', ['contracts', 'lib'], 'The API starts and observes workflows by their contracts.'),
    room('cli', ['contracts', 'lib', 'infra'], 'The CLI is a client of the API and starts the local stack.'),
    room(
      'infra',
      ['contracts', 'lib/config', 'lib/clients', 'lib/ml'],
      'Infrastructure reads configuration and bootstraps the servers.',
    ),
    {
      name: 'lib-door',
      comment: 'A domain is entered by its index.ts only.',
      severity: 'error',
      from: { path: '^lib/([^/]+)/' },
      to: { path: '^lib/([^/]+)/', pathNot: ['^lib/$1/', '^lib/[^/]+/index\\.ts$'] },
    },
    {
      name: 'lib-door-from-outside',
      severity: 'error',
      from: { path: '^(activities|workers|api|cli|infra)/' },
      to: { path: '^lib/[^/]+/', pathNot: '^lib/[^/]+/index\\.ts$' },
    },
    {
      name: 'lib-knows-no-runtime',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: 'node_modules/(@temporalio|express)/' },
    },
    { name: 'no-test-code', severity: 'error', from: { pathNot: '^(test|bench)/' }, to: { path: '^(test|bench)/' } },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      from: { pathNot: '^(test|bench|infra/checks)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
