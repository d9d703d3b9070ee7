import { signInCauses } from '../sign-in-causes.ts';

/** docs/sign-in-causes.md: why a sign-in can fail, and what to do. */
export function causePage(): string {
  const rows = Object.entries(signInCauses).map(
    ([code, [meaning, whatToDo]]) => `| \`${code}\` | ${meaning} | ${whatToDo} |`,
  );
  return `# Why a sign-in failed

Generated from \`packages/contracts/src/sign-in-causes.ts\`. The tenant's log has the reason in \`sign_in.failed\`, and
the cause in its details; \`…/sign-in-attempts\` has both with every step of the attempt ([sign-in.md](sign-in.md)).

| cause | what it means | what to do |
| ----- | ------------- | ---------- |
${rows.join('\n')}
`;
}
