// Writes what follows from the contracts into docs/. `--check` writes nothing and fails when something there is stale or when an event schema
// does more than add to the last release; `--release` makes the present schemas the last release.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { breakingChanges } from './additive.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { schemasByTopic, type TopicSchemas } from './event-schemas.ts';
import { problemPage } from './problem-page.ts';

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '../..');
const docs = join(packageRoot, '../../docs');
const released = join(packageRoot, 'released');
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const schemas = schemasByTopic();
const files = new Map<string, string>([
  [join(docs, 'asyncapi.json'), json(asyncApiDocument(schemas))],
  [join(docs, 'problems.md'), problemPage()],
]);
for (const [topic, document] of schemas) {
  files.set(join(docs, 'schemas', `${topic}.json`), json(document));
  if (process.argv.includes('--release')) files.set(join(released, `${topic}.json`), json(document));
}

const problems: string[] = [];
for (const [topic, document] of schemas) {
  const file = join(released, `${topic}.json`);
  if (process.argv.includes('--release') || !existsSync(file)) continue;
  problems.push(...breakingChanges(JSON.parse(readFileSync(file, 'utf8')) as TopicSchemas, document));
}
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
console.log(`contracts: ${files.size} generated files, ${schemas.size} topics: all in order`);
