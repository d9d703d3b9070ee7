// Whether logs hold what was signed of them, for whoever watches the service: as checkpoints and verifications find.
import { metrics } from '@opentelemetry/api';

const verifications = metrics.getMeter('@reeve/audit').createCounter('reeve.audit.verifications', {
  description: 'Looks at a log against what was signed of it, by who looked and what was found',
});
const kinds = ['checkpoint', 'verify'] as const;
// A counter that is first seen at one has not risen, for whoever asks how much it rose.
for (const by of kinds) for (const result of ['intact', 'broken']) verifications.add(0, { by, result });

export const countVerification = (by: (typeof kinds)[number], isIntact: boolean): void =>
  verifications.add(1, { by, result: isIntact ? 'intact' : 'broken' });
