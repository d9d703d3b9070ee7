// The fault: the certificate of an identity provider is over, and it signs by its next one before Reeve has read of it.
import { expect } from '@jest/globals';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import type { SamlIdentityProvider } from '@reeve/testing/saml';
import { freshTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

type View = { id: string; warnings: { code: string }[] };

export async function rehearseExpiredMetadata(credentials: Credentials, idp: SamlIdentityProvider): Promise<void> {
  const runbook = openRunbook('expired-metadata');
  const { tenant, api } = await freshTenant(credentials, 'expired');
  const connections = `${credentials.urls.auth}/v1/tenants/${tenant.id}/sso-connections`;
  await idp.changesItsKeys({ endedAt: new Date(Date.now() - 86_400_000) });
  const { id: CONNECTION } = await api.post<View>(connections, {
    name: 'Acme',
    kind: 'saml',
    saml: { metadataXml: idp.metadataXml() },
    jit: { enabled: true, defaultRoles: ['tenant_member'] },
  });
  await api.post(`${connections}/${CONNECTION}:activate`);
  await api
    .post(`${connections}/${tenant.connectionId}:deactivate`)
    .catch(() => api.delete(`${connections}/${tenant.connectionId}`));
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
  const app = await registerProductApp(api, credentials, tenant);
  const comes = () => signIn(app, tenant, { email: 'ada@acme.example', password: '' });
  // Nobody is locked out by a date.
  await comes();
  await eventually('it is warned of', async () =>
    (await api.get<View>(`${connections}/${CONNECTION}`)).warnings.some(({ code }) => code === 'certificate_expired'),
  );
  await idp.changesItsKeys();
  await expect(comes()).rejects.toThrow();

  const variables = { ...variablesOf(credentials), TENANT: tenant.slug, CONNECTION, METADATA_URL: idp.metadataUrl };
  expect((await runbook.run('$CONNECTION"', variables)).out).toContain('"certificate_expired"');
  expect((await runbook.run('cause=saml_certificate_unknown', variables)).out).toContain('"outcome": "failed"');
  const { err } = await runbook.run(':refresh-metadata', variables, { code: 2 });
  expect(err).toContain('connection_unsupported');
  expect(JSON.parse((await runbook.run('metadataUrl', variables)).out)).toMatchObject({ warnings: [] });
  await comes();
  const { out } = await runbook.run('outcome=succeeded', variables);
  expect((JSON.parse(out) as { items: unknown[] }).items).toHaveLength(2);
  runbook.isDone();
}
