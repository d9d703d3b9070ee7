// Files that follow from something else: they are written, or with `--check` compared with what is there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

/** `files` by path; `problems` were found elsewhere. Ends the process with 1 where something is stale or wrong. */
export function writeOrCheck(what: string, files: ReadonlyMap<string, string>, problems: readonly string[] = []): void {
  const found = [...problems];
  const isStale = ([file, content]: readonly [string, string]) =>
    !existsSync(file) || readFileSync(file, 'utf8') !== content;
  if (process.argv.includes('--check')) {
    for (const [file] of [...files].filter(isStale))
      found.push(`${relative(process.cwd(), file)} is stale: run \`npm run generate\` and commit what it writes`);
  } else {
    for (const [file, content] of files) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
  if (found.length > 0) {
    console.error(found.join('\n'));
    process.exit(1);
  }
  console.log(`${what}: ${files.size} generated files: all in order`);
}
