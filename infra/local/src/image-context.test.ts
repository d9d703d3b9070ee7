// What images are built from: infra/docker/Dockerfile copies what .dockerignore lets through.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import dockerIgnore from '@balena/dockerignore';
import { expect, test } from '@jest/globals';
import { repositoryRoot } from './paths.ts';

const files = globSync(['*', '.*', '{docs,infra,packages,services,test}/**/*.*', 'packages/*/policies/*'], {
  cwd: repositoryRoot,
  exclude: name => name === 'node_modules' || name === 'dist',
});
const context = dockerIgnore
  .default()
  .add(readFileSync(join(repositoryRoot, '.dockerignore'), 'utf8'))
  .filter(files);

test('the sources and manifests of services and packages are in it', () => {
  expect(context).toEqual(
    expect.arrayContaining([
      'package-lock.json',
      'services/auth/src/main.ts',
      'packages/store/src/index.ts',
      'packages/access/policies/built-in-roles.cedar',
      'packages/testing/package.json',
      'infra/helm/package.json',
      'infra/local/package.json',
    ]),
  );
});

test('no test, nothing that only tests use, no document and no secret is in it', () => {
  const unwanted = /\.test\.|\.test-support\.|\/(hostile|fixture)\/|\.md$|\.env|^docs\/|^\.local|released\//;
  const manifestAlone = /^(packages\/testing|infra|test)\//;
  expect(files.filter(file => unwanted.test(file)).length).toBeGreaterThan(50);
  expect(context.filter(file => unwanted.test(file))).toEqual([]);
  // What writes the bill of materials is there while an image is built, and not in it.
  expect(context.filter(file => manifestAlone.test(file) && !file.endsWith('package.json'))).toEqual([
    'infra/docker/sbom.mjs',
  ]);
});

/** The file that is meant; null for a package of npm. */
function importedFrom(file: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return join(dirname(file), specifier);
  const [, name, rest = ''] = /^@reeve\/([^/]+)(.*)$/.exec(specifier) ?? [];
  if (name === undefined) return null;
  const directory = join('packages', name);
  const manifest = readFileSync(join(repositoryRoot, directory, 'package.json'), 'utf8');
  const { exports } = JSON.parse(manifest) as { exports: Record<string, string | { source: string }> };
  const target = exports[`.${rest}`];
  if (target === undefined) throw new Error(`${specifier}, which ${file} imports, is exported nowhere`);
  return join(directory, typeof target === 'string' ? target : target.source);
}

const importsOf = (file: string) =>
  [...readFileSync(join(repositoryRoot, file), 'utf8').matchAll(/(?:\bfrom|^import|\bimport\() ?'([^']+)'/gm)]
    .map(([, specifier = '']) => importedFrom(file, specifier))
    .filter(imported => imported !== null);

test('what its sources import is in it as well: otherwise no image is built', () => {
  const there = new Set(context);
  const sources = context.filter(file => file.endsWith('.ts'));
  const broken = sources.flatMap(file =>
    importsOf(file)
      .filter(imported => !there.has(imported))
      .map(imported => `${file} imports ${imported}`),
  );
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(1_000);
  expect(broken).toEqual([]);
});
