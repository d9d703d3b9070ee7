// Who may import whom. docs/decisions.md and CONTRIBUTING.md say why.
import { globSync, readFileSync } from 'node:fs';

const services = '^services/([^/]+)/';
/** Left out of what images are built from (.dockerignore). */
const forTests = [
  '\\.test\\.ts$',
  '\\.test-support\\.ts$',
  '/sample-[^/]+\\.ts$',
  '/fixture/',
  '/hostile/',
  '^packages/testing/',
  '^packages/store/src/explain\\.ts$',
];
const entries = ['^services/[^/]+/src/main\\.ts$', '/isolated-main\\.ts$', '^packages/service-kit/src/telemetry\\.ts$'];

/** Files that build a route or handle events. What several of them need is in a file that does neither. */
const useCases = globSync('services/*/src/**/*.ts')
  .filter(
    file =>
      !file.includes('test') &&
      /\bRoute\(\{|[a-z]Route\(\{|RouteFor<\w+>\(\)\(\{|: Handlers\b/.test(readFileSync(file, 'utf8')),
  )
  .map(file => `^${file.replaceAll('.', '\\.')}$`);

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-service-imports-a-service',
      comment: 'Services know each other by topics and contracts only.',
      severity: 'error',
      from: { path: services },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'contracts-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^packages/contracts/' },
      to: { path: '^(packages/(?!contracts/)|services|infra|test)' },
    },
    {
      name: 'nothing-imports-the-cli',
      severity: 'error',
      from: { pathNot: '^packages/cli/' },
      to: { path: '^packages/cli/' },
    },
    {
      name: 'packages-import-no-services',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(services|test)/' },
    },
    {
      name: 'packages-import-no-infra',
      comment: 'But for a test that needs an engine of its own.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '\\.integration\\.test\\.ts$' },
      to: { path: '^infra/' },
    },
    {
      name: 'services-import-no-infra',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(infra|test)/' },
    },
    {
      name: 'packages-import-downwards',
      comment: 'These know contracts alone, and not one another; vault, service-kit and the rest stand on them.',
      severity: 'error',
      from: { path: '^packages/(store|event-bus|access|audit-log|webhook-signatures)/' },
      to: { path: '^packages/', pathNot: '^packages/(contracts|$1)/' },
    },
    {
      name: 'kafkajs-in-event-bus-alone',
      comment: 'kafkajs is chosen but no longer maintained: one package to change, should it be replaced.',
      severity: 'error',
      from: {
        pathNot: [
          '^packages/event-bus/',
          '^test/src/bench/',
          '^test/src/support/',
          // An operator, who says what users may do.
          '^infra/helm/src/kafka-users\\.integration\\.test\\.ts$',
          // Somebody else's cluster, and their consumer.
          '^test/src/e2e/audit-kafka-sink',
        ],
      },
      to: { path: 'node_modules/kafkajs' },
    },
    {
      name: 'mongodb-in-store-alone',
      comment: 'Tenant scoping lives in packages/store; whoever speaks to the driver goes around it.',
      severity: 'error',
      from: { pathNot: ['^packages/store/', '^infra/local/src/engines/', '^test/src/bench/', '^test/src/support/'] },
      to: { path: 'node_modules/mongodb/' },
    },
    {
      name: 'slices-know-their-front',
      comment: 'A package is entered by its index, or by another door that its package.json names.',
      severity: 'error',
      from: { path: '^(services|infra|test)/' },
      to: {
        path:
          '^packages/[^/]+/src/(?!(index|outbound|places|telemetry|elsewhere|browser|chromium|eventually|fetch|given|identity-provider|listen|saml|' +
          'generate/generated-files)\\.ts)',
      },
    },
    {
      name: 'kinds-of-sinks-by-their-registry',
      comment: 'What is special to a kind stays in its folder.',
      severity: 'error',
      from: { path: '^services/audit/', pathNot: '^services/audit/src/sinks/kinds/' },
      to: { path: '^services/audit/src/sinks/kinds/[^/]+/' },
    },
    {
      name: 'no-slice-imports-a-use-case-of-another',
      comment:
        'A use case that another one calls can be changed for neither alone. What two slices share is an aggregate, ' +
        'or is handed in by service.ts.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/([^/]+)/', pathNot: 'test' },
      to: { path: useCases, pathNot: '^services/$1/src/$2/' },
    },
    {
      name: 'log-is-the-core-of-audit',
      comment: 'Every slice of audit reads the log; the log knows none of them.',
      severity: 'error',
      from: { path: '^services/audit/src/log/', pathNot: 'test' },
      to: { path: '^services/audit/src/(?!log/)' },
    },
    {
      name: 'what-runs-uses-nothing-of-tests',
      severity: 'error',
      from: { path: '^(services|packages)/', pathNot: forTests },
      to: { path: forTests },
    },
    {
      name: 'images-hold-what-runs-alone',
      comment: 'What tests share is named *.test-support.ts, or lies in packages/testing.',
      severity: 'error',
      from: { path: entries },
      to: {
        path: '^(services|packages)/[^/]+/src/',
        pathNot: [
          ...forTests,
          ...entries,
          '^packages/bot-sidecar/',
          '^packages/cli/',
          '^packages/sdk/',
          '^packages/sizing/',
          '^packages/contracts/src/generate/',
          '^services/auth/src/setup/',
          // Asked by the command line alone.
          '^packages/store/src/members',
        ],
        reachable: false,
      },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '^infra/lint/fixture'] },
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
