import type { Finding } from './finding.ts';

/** The guard's refusal names the variable that would open the place. */
const isRefused = ({ code, status, detail }: Finding): boolean =>
  code === 'egress' && status === 'failed' && detail.includes('REEVE_ALLOWED_NETWORKS');

/**
 * A place may be open for one purpose, as an identity provider is for auth: that the guard refuses it to the other
 * services is no failure then.
 */
export function judgeEgress(findings: readonly Finding[]): Finding[] {
  const isReached = findings.some(({ code, status }) => code === 'egress' && status === 'ok');
  if (!isReached) return [...findings];
  const advice = 'Another service gets there: nothing is wrong where only that one has to.';
  return findings.map(one => (isRefused(one) ? { ...one, status: 'warning', advice } : one));
}
