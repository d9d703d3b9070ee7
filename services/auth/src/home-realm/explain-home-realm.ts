import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed } from '../applications/known-application.ts';
import { keySchema } from '../auth-keys/auth-key.ts';
import { domainOf } from '../domains/domain-name.ts';
import type { Realm } from './home-realm.ts';
import type { HomeRealm } from './know-realm.ts';

type Parts = { homeRealm: HomeRealm; applications: ApplicationDirectory };

const outcome = z.enum(['connection', 'ask', 'refused']);

function outcomeOf(realm: Realm): z.infer<typeof outcome> {
  if ('found' in realm) return 'connection';
  return 'ask' in realm ? 'ask' : 'refused';
}

export const explainHomeRealm = ({ homeRealm, applications }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/home-realm:explain',
    summary: 'By which connection somebody would sign in, and by which rule of docs/sign-in.md; nothing is changed',
    action: 'connections:read',
    body: z.strictObject({
      email: z.email().max(320).exactOptional().describe('Of the person'),
      domain: z.string().max(253).exactOptional().describe('Of the address, where only that is known'),
      connection: z.string().max(100).exactOptional(),
      authKey: keySchema.exactOptional(),
      clientId: z.string().max(100).exactOptional().describe('The application; without it one that names this tenant'),
    }),
    response: z.object({
      outcome,
      connectionId: z.string().nullable(),
      rule: z.string(),
    }),
    async handle({ tenantId, body: { email, domain, connection, authKey, clientId } }) {
      const application = clientId === undefined ? null : await applications.findNow(clientId);
      if (clientId !== undefined && !(application && isServed(application, tenantId)))
        throw new ProblemError('not_found');
      const realm = await homeRealm.find({
        boundTo: tenantId,
        serves: id => id === tenantId,
        tenant: null,
        connection: connection ?? null,
        authKey: authKey ?? null,
        domain: domainOf(domain === undefined ? (email ?? null) : `@${domain}`),
      });
      const connectionId = 'found' in realm ? realm.found.connectionId : null;
      return { body: { outcome: outcomeOf(realm), connectionId, rule: realm.rule } };
    },
  });
