// Writes what follows from the contracts into docs/. `--check` writes nothing and fails when something there is stale
// or when an event schema does not get on with the last release; `--release` makes the present schemas the last
// release.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import stringify from 'json-stringify-pretty-compact';
import { asyncApiDocument } from './asyncapi.ts';
import { causePage } from './cause-page.ts';
import { breakingChanges } from './compatibility.ts';
import { type JsonSchema, type SchemaFiles, schemaFiles } from './event-schemas.ts';
import { writeOrCheck } from './generated-files.ts';
import { problemPage } from './problem-page.ts';

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '../..');
const docs = join(packageRoot, '../../docs');
const released = join(packageRoot, 'released');
const json = (value: unknown) => `${stringify(value, { maxLength: 140 })}\n`;
const isRelease = process.argv.includes('--release');

function readReleased(): SchemaFiles {
  if (!existsSync(released)) return new Map();
  return new Map(
    readdirSync(released).map(name => [name, JSON.parse(readFileSync(join(released, name), 'utf8')) as JsonSchema]),
  );
}

const schemas = schemaFiles();
const files = new Map<string, string>([
  [join(docs, 'asyncapi.json'), json(asyncApiDocument())],
  [join(docs, 'problems.md'), problemPage()],
  [join(docs, 'sign-in-causes.md'), causePage()],
]);
for (const [name, document] of schemas) {
  files.set(join(docs, 'schemas', name), json(document));
  if (isRelease) files.set(join(released, name), json(document));
}

const problems = isRelease ? [] : breakingChanges(readReleased(), schemas);
writeOrCheck('contracts', files, problems);
