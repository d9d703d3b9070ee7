// What images are built from: infra/docker/Dockerfile copies what .dockerignore lets through.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  expect(context.filter(file => manifestAlone.test(file) && !file.endsWith('package.json'))).toEqual([]);
});
