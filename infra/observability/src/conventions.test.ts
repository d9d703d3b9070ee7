// The names that are OpenTelemetry's, held against the version of its conventions that we say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { repositoryRoot } from '@reeve/local/paths';
import { documentedMetrics } from './documented.ts';

const names = new Set<unknown>(Object.values(conventions));
const isTheirs = (name: string) => /^(http|db|messaging|url|service|nodejs|v8js)\./.test(name);
const source = (file: string) => readFileSync(join(repositoryRoot, file), 'utf8');

test('the version that telemetry names is the one of the package', () => {
  const said = /semanticConventions = '(?<version>[\d.]+)'/.exec(source('packages/service-kit/src/telemetry.ts'));
  const { version } = JSON.parse(source('node_modules/@opentelemetry/semantic-conventions/package.json')) as {
    version: string;
  };
  expect(said?.groups?.['version']).toBe(version);
});

test('each name of theirs that we use is in it, and one that is misspelt is not', () => {
  const documented = documentedMetrics().flatMap(({ name, attributes }) => [name, ...attributes]);
  const ofSpans = [...source('packages/event-bus/src/consumer.ts').matchAll(/'(messaging\.[a-z_.]+)'/g)].map(
    ([, name = '']) => name,
  );
  const used = [...documented, ...ofSpans].filter(isTheirs);
  expect(used.length).toBeGreaterThan(15);
  expect(used.filter(name => !names.has(name))).toEqual([]);
  expect(names.has('http.request.methods')).toBe(false);
});
