// Proves that the type-aware rules work: every line of the fixture marked `expect: <rule>` has to be reported, and
// nothing else.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const fixture = 'infra/lint/fixture/forgotten-awaits.ts';
const expected = readFileSync(fixture, 'utf8')
  .split('\n')
  .flatMap((line, index) => (line.includes('// expect: ') ? [`${index + 1} ${line.split('// expect: ')[1]}`] : []));
const { stdout } = spawnSync('oxlint', ['--type-aware', '--format', 'json', fixture], { encoding: 'utf8' });
const reported = JSON.parse(stdout).diagnostics.map(
  ({ code, labels }) => `${labels[0].span.line} ${/\((.+)\)/.exec(code)[1]}`,
);
const missed = expected.filter(one => !reported.includes(one));
if (expected.length < 4 || missed.length > 0) {
  console.error(
    `the linter did not report: ${missed.join(', ') || 'the fixture has too few cases'}\nreported: ${reported.join(', ')}`,
  );
  process.exit(1);
}
console.log(`the linter reports every one of ${expected.length} forgotten awaits and cases`);
