// Who may import whom. docs/decisions.md and CONTRIBUTING.md say why.
const services = '^services/([^/]+)/';

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
      to: { path: '^(services|infra|test)/' },
    },
    {
      name: 'services-import-no-infra',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(infra|test)/' },
    },
    {
      name: 'packages-import-downwards',
      comment: 'store and event-bus know contracts only; vault stands on store; service-kit on all three and access.',
      severity: 'error',
      from: { path: '^packages/(store|event-bus|access|audit-log|webhook-signatures)/' },
      to: {
        path: '^packages/(?!contracts/)([^/]+)/',
        pathNot: '^packages/(store|event-bus|access|audit-log|webhook-signatures)/',
      },
    },
    {
      name: 'store-and-bus-stay-apart',
      severity: 'error',
      from: { path: '^packages/(store|event-bus)/' },
      to: { path: '^packages/(?!contracts/)', pathNot: ['^packages/store/', '^packages/event-bus/'] },
    },
    {
      name: 'bus-knows-no-store',
      severity: 'error',
      from: { path: '^packages/event-bus/' },
      to: { path: '^packages/store/' },
    },
    {
      name: 'store-knows-no-bus',
      severity: 'error',
      from: { path: '^packages/store/' },
      to: { path: '^packages/event-bus/' },
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
      comment: 'A package is entered by its index alone; service-kit has two more doors.',
      severity: 'error',
      from: { path: '^(services|infra|test)/' },
      to: { path: '^packages/[^/]+/src/(?!(index|outbound|telemetry)\\.ts)' },
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
