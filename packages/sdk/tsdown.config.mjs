// What is published stands by itself: the packages of ours that it is made of are in it, since none of them is
// published. What comes from a registry is not. `dist` is the package: `npm publish packages/sdk/dist`.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'tsdown';

const own = import.meta.dirname;
const manifest = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'));

/** Without what only this repository understands: the sources, the scripts, and that the folder is not to be published. */
function publishedManifest() {
  const { private: _, scripts: __, devDependencies: ___, exports, ...rest } = manifest;
  const doors = Object.entries(exports).map(([door, { types, default: file }]) => [
    door,
    { types: types.replace('/dist', ''), default: file.replace('/dist', '') },
  ]);
  return { ...rest, exports: Object.fromEntries(doors) };
}

export default defineConfig({
  entry: Object.values(manifest.exports).map(({ source }) => source),
  format: 'esm',
  platform: 'node',
  target: 'node22',
  tsconfig: 'tsconfig.publish.json',
  dts: true,
  fixedExtension: false,
  inputOptions: { resolve: { conditionNames: ['source', 'import', 'node', 'default'] } },
  deps: { alwaysBundle: [/^@reeve\//] },
  // Nothing of these happens at import: what is not used of them is left out.
  treeshake: {
    moduleSideEffects: [{ test: /packages\/(?:contracts|audit-log|webhook-signatures)\//, sideEffects: false }],
  },
  hooks: {
    'build:done': ({ options: { outDir } }) => {
      writeFileSync(join(outDir, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
      copyFileSync(join(own, 'README.md'), join(outDir, 'README.md'));
      copyFileSync(join(own, '../../LICENSE'), join(outDir, 'LICENSE'));
    },
  },
});
