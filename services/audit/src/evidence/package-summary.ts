// README.md of an evidence package, for people.
import { controlMapping, type Plan, type Tally } from './package-files.ts';

const table = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [columns, columns.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');

const mostFirst = (counts: Map<string, number>) => [...counts].toSorted(([, one], [, other]) => other - one);

export function summary(
  { tenantId, period, checkpoint, ranges }: Plan,
  tally: Tally,
  { name, keyIds }: { name: string; keyIds: readonly string[] },
): string {
  const { records, removed } = tally;
  const beforehand =
    removed === 0
      ? ''
      : `\n  ${removed} more were removed before (by retention or on request): signed tombstones have their places and hashes.`;
  const controls = controlMapping(tally).map(one => [one.framework, one.id, one.title, one.shownBy, one.records]);
  return `# ${name.replaceAll(/[\r\n]+/g, ' ')}

Evidence from the audit log of the tenant \`${tenantId}\`: what was chained from ${period.from} to ${period.to}.

- **Records**: ${records} in ${ranges.length} chains.${beforehand}
- **Checkpoint**: number ${checkpoint.number} of ${checkpoint.time}, signed with the key \`${checkpoint.keyId}\`.
- **Keys**: ${keyIds.map(id => `\`${id}\``).join(', ')}.
  Compare them with \`/.well-known/reeve-audit-keys\` of the service, which you fetch yourself: keys that come with the
  evidence prove nothing.

## To verify

\`\`\`
npx reeve audit verify records.ndjson --keys keys.json
npx reeve audit verify-proof proofs/<file>.json --keys keys.json
\`\`\`

Or with a verifier of your own: \`docs/audit-format.md\` of Reeve is enough to write one. \`records.ndjson\` begins with a
signed manifest, so that what was left out is found. Each record names the hash of the one before it. \`proofs/\` shows that
the first and the last record of each chain are in the log that the checkpoint signs; \`proofs/consistency.json\`, where it
is there, that this log only adds to what it was before the period. \`checkpoints.ndjson\` has the checkpoints since then,
each of which names the one before it.

## What happened

${table(['type', 'records'], mostFirst(tally.byType))}

${table(['outcome', 'records'], mostFirst(tally.byOutcome))}

## Controls

Records that are evidence for a control. That there are some does not show that a control is met, and that there are none
does not show that it is not. \`controls.json\` has the types behind each number.

${table(['framework', 'control', 'about', 'shown by', 'records'], controls)}
`;
}
