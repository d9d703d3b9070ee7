// Tests run the TypeScript sources as ES modules. Unit tests need nothing; the others use the engines of infra/local.
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  testMatch: ['<rootDir>/{packages,services,infra,test}/**/*.test.ts'],
  modulePathIgnorePatterns: ['/dist/', '/.local/'],
  testTimeout: 30_000,
  // For `npm run unit`: `npm test` says which files may run beside others.
  maxWorkers: '100%',
  // Jest keeps what a file imported as ES modules, 18 MB for each file: after two hundred the heap is full, and before
  // that Node is busy with collecting garbage. A worker that holds more than this is started anew.
  workerIdleMemoryLimit: '1GB',
};
