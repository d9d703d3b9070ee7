// Where the keys of the vaults are: who is told, who has a token for them, and who reaches them.
import { expect, test } from '@jest/globals';
import { type ServiceName, serviceNames } from '@reeve/local/system';
import { chart, deploymentsOf, one, render } from './chart.test-support.ts';

type Objects = ReturnType<typeof render>;

const withVault = serviceNames.filter(name => name !== 'provisioning');
const variablesOf = (objects: Objects, name: ServiceName) => {
  const { env } = one(deploymentsOf(objects).get(name)?.spec.template.spec.containers ?? []);
  return Object.fromEntries(
    env.filter(variable => variable.name.startsWith('REEVE_VAULT_')).map(variable => [variable.name, variable.value]),
  );
};
const volumesOf = (objects: Objects, name: ServiceName) =>
  JSON.stringify(deploymentsOf(objects).get(name)?.spec.template.spec.volumes);
const egressOf = (objects: Objects, name: ServiceName) =>
  objects
    .filter(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === `reeve-${name}`)
    .flatMap(({ spec }) => (spec as { egress: { ports: { port: unknown }[]; to?: unknown }[] }).egress);
const whoReaches = (objects: Objects, port: number) =>
  serviceNames.filter(name => egressOf(objects, name).some(({ ports }) => ports.some(each => each.port === port)));

chart.describe('the keys of the vaults', () => {
  test('are in a file, and nobody reaches anything for it', () => {
    for (const name of withVault)
      expect(variablesOf(render('minimal'), name)).toEqual({ REEVE_VAULT_KEY_FILE: '/etc/reeve/vault-keys.json' });
    expect(variablesOf(render('minimal'), 'provisioning')).toEqual({});
    expect([whoReaches(render('minimal'), 8200), whoReaches(render('minimal'), 443)]).toEqual([[], []]);
  });

  test('are in the transit engine, to which the pods of those that have a vault show a token of their own', () => {
    const objects = render('openbao');
    for (const name of withVault) {
      expect(variablesOf(objects, name)).toMatchObject({
        REEVE_VAULT_TRANSIT_URL: 'https://openbao.openbao.svc:8200',
        REEVE_VAULT_TRANSIT_ROLE: 'reeve',
        REEVE_VAULT_TRANSIT_JWT_FILE: '/etc/reeve/transit-token',
        REEVE_VAULT_TRANSIT_CA_FILE: '/etc/reeve/transit-ca.crt',
      });
      expect(variablesOf(objects, name)).not.toHaveProperty('REEVE_VAULT_KEY_FILE');
      expect(volumesOf(objects, name)).toContain('"audience":"openbao"');
      expect(volumesOf(objects, name)).not.toContain('vault-keys.json');
    }
    expect(variablesOf(objects, 'provisioning')).toEqual({});
    expect(volumesOf(objects, 'provisioning')).not.toContain('transit');
    expect(whoReaches(objects, 8200)).toEqual(withVault);
    const there = egressOf(objects, 'webhook-ingress').find(({ ports }) => ports.some(({ port }) => port === 8200));
    expect(there?.to).toEqual([{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openbao' } } }]);
  });

  test('are in AWS KMS, for which each service has a role of its own', () => {
    const objects = render('managed-kafka');
    for (const name of withVault) {
      expect(variablesOf(objects, name)).toEqual({
        REEVE_VAULT_KMS_KEY_ARN: expect.stringContaining('arn:aws:kms:'),
      });
      const account = objects.find(
        ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === `reeve-${name}`,
      );
      expect(account?.metadata.annotations?.['eks.amazonaws.com/role-arn']).toContain(`role/reeve-${name}`);
    }
    expect(whoReaches(objects, 443)).toEqual(withVault);
  });

  test('move from the file to the transit engine with both there, of which one only opens', () => {
    const set = [
      'keyManagement.former=keyFile',
      'secrets.vaultKeys.name=reeve-vault',
      'secrets.vaultKeys.key=keys.json',
    ];
    expect(variablesOf(render('openbao', { set }), 'audit')).toMatchObject({
      REEVE_VAULT_FORMER: 'key_file',
      REEVE_VAULT_KEY_FILE: '/etc/reeve/vault-keys.json',
      REEVE_VAULT_TRANSIT_URL: 'https://openbao.openbao.svc:8200',
    });
  });
});
