import { problems } from '../problems.ts';

/** docs/problems.md: every code that a user can meet, and what to do. */
export function problemPage(): string {
  const rows = Object.entries(problems).map(
    ([code, [status, title, help]]) => `| \`${code}\` | ${status} | ${title} | ${help} |`,
  );
  return [
    '# Problem codes',
    '',
    'Every refusal is `application/problem+json` with one of these codes in `code`. Generated from `packages/contracts/src/problems.ts`.',
    '',
    '| code | status | what it means | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
