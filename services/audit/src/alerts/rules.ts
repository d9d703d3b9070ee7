// The rules. A new one is an entry here, and a line in docs/alerts.md.
import { networkOf } from '@reeve/service-kit';
import { burst } from './burst.ts';
import { changedIssuer } from './changed-issuer.ts';
import { dormantAdmin } from './dormant-admin.ts';
import { impossibleTravel } from './impossible-travel.ts';
import { newReader } from './new-reader.ts';
import { type Rule, textOf } from './rule.ts';

const countOf = (value: unknown) => (typeof value === 'number' ? value : 1);
/** Refusals of a webhook that come of a wrong secret or a replay, and not of a wrong form. */
const unauthentic = new Set(['signature', 'too_old', 'too_new']);

const rules = {
  sign_in_failures_by_address: burst({
    title: 'Many failed sign-ins from one address',
    severity: 'medium',
    triggers: ['sign_in.failed'],
    count: 10,
    minutes: 10,
    what: 'failed sign-ins',
    subjectOf: ({ context }) => networkOf(context.ip),
    among: (_, network) => (network.includes('/') ? {} : { ip: network }),
  }),
  sign_in_failures_by_user: burst({
    title: 'Many failed sign-ins of one user',
    severity: 'medium',
    triggers: ['sign_in.failed'],
    count: 5,
    minutes: 10,
    what: 'failed sign-ins',
    subjectOf: ({ details }) => textOf(details['identityId']),
    among: (_, about) => ({ about }),
  }),
  sign_in_failures_in_tenant: burst({
    title: 'Many failed sign-ins',
    severity: 'medium',
    triggers: ['sign_in.failed'],
    count: 50,
    minutes: 10,
    what: 'failed sign-ins',
    subjectOf: ({ tenantId }) => tenantId,
    among: () => ({}),
  }),
  impossible_travel: impossibleTravel,
  refresh_token_reuse: burst({
    title: 'A refresh token was used a second time',
    severity: 'high',
    triggers: ['token.reuse_detected'],
    count: 1,
    minutes: 10,
    what: 'uses of a token that had been used',
    subjectOf: ({ details }) => textOf(details['userId']),
    among: (_, about) => ({ about }),
  }),
  break_glass_used: burst({
    title: 'Somebody signed in by an exception from an enforced domain',
    severity: 'high',
    triggers: ['sign_in.break_glass_used'],
    count: 1,
    minutes: 10,
    what: 'sign-ins by exception',
    subjectOf: ({ details }) => textOf(details['userId']),
    among: (_, about) => ({ about }),
  }),
  consent_spike: burst({
    title: 'Many people consent to one connector',
    severity: 'medium',
    triggers: ['consent.granted'],
    count: 20,
    minutes: 60,
    what: 'consents',
    subjectOf: ({ details }) => textOf(details['installationId']),
    among: (_, about) => ({ about }),
  }),
  webhook_signature_failures: burst({
    title: 'Webhooks that are not signed as they should be',
    severity: 'medium',
    triggers: ['delivery.rejected'],
    count: 20,
    minutes: 10,
    what: 'refused deliveries',
    subjectOf: ({ details }) => textOf(details['endpointId']),
    among: (_, about) => ({ about }),
    matches: ({ reason }) => unauthentic.has(reason.code),
    weightOf: ({ details }) => countOf(details['count']),
  }),
  dormant_admin_active: dormantAdmin,
  token_reads_burst: burst({
    title: 'Token material is read very often',
    severity: 'high',
    triggers: ['delegated_token.leased'],
    count: 200,
    minutes: 10,
    what: 'leases of tokens',
    subjectOf: ({ actor }) => actor.id,
    among: (_, actor) => ({ actor }),
  }),
  token_new_reader: newReader,
  sso_changed_then_new_issuer: changedIssuer,
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof rules;
export const ruleIds = Object.keys(rules) as [RuleId, ...RuleId[]];
export const ruleOf = (id: RuleId): Rule => rules[id];
