// What is published stands by itself: the packages of ours that it is made of are in it, since none of them is
// published. What comes from a registry is not.
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/{index,express,fetch}.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node22',
  dts: true,
  sourcemap: false,
  fixedExtension: false,
  inputOptions: { resolve: { conditionNames: ['source', 'import', 'node', 'default'] } },
  deps: { alwaysBundle: [/^@reeve\//] },
  treeshake: {
    moduleSideEffects: [{ test: /packages\/(?:contracts|audit-log|webhook-signatures)\//, sideEffects: false }],
  },
});
