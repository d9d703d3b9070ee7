// Writes what follows from the contracts into docs/. `--check` writes nothing and fails when something there is stale
// or when an event schema does not get on with the last release; `--release` makes the present schemas the last
// release.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import stringify from 'json-stringify-pretty-compact';
import { asyncApiDocument } from './asyncapi.ts';
import { breakingChanges } from './compatibility.ts';
import { type JsonSchema, type SchemaFiles, schemaFiles } from './event-schemas.ts';
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
]);
for (const [name, document] of schemas) {
  files.set(join(docs, 'schemas', name), json(document));
  if (isRelease) files.set(join(released, name), json(document));
}

const problems = isRelease ? [] : breakingChanges(readReleased(), schemas);
if (process.argv.includes('--check')) {
  for (const [file, content] of files) {
    if (!existsSync(file) || readFileSync(file, 'utf8') !== content)
      problems.push(`${file} is stale: run \`npm run generate\``);
  }
} else {
  for (const [file, content] of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`contracts: ${files.size} generated files: all in order`);
