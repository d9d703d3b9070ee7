// Events and revocations from a real broker.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId, type Revocation, revocationDraft, topics } from '@reeve/contracts';
import { createEventBus, type EventBus } from '@reeve/event-bus';
import { engines, eventually } from '@reeve/testing';
import { revocationTopic } from './events.ts';
import { audience, startIssuer, type TestIssuer } from './issuer.test-support.ts';
import { createVerifier, type Verifier } from './verifier.ts';

let issuer: TestIssuer;
let bus: EventBus;
let verifier: Verifier;

const failures: unknown[] = [];
const verifierAt = (brokers: string[]) =>
  createVerifier({
    issuer: issuer.url,
    audience,
    revocations: { from: revocationTopic({ brokers, clientId: 'sdk-test' }), staleAfterMs: 10_000 },
    onFailure: error => failures.push(error),
  });

beforeEach(async () => {
  issuer = await startIssuer();
  bus = createEventBus({ brokers: [engines().kafka], clientId: 'sdk-test' });
  await bus.ensureTopics({ 'reeve.revocations.v1': topics['reeve.revocations.v1'] });
  verifier = verifierAt([engines().kafka]);
});
afterEach(async () => {
  await verifier.stop();
  await bus.stop();
  await issuer.stop();
});

async function publish(revocation: Revocation) {
  const { topic, key, type, subject, contentType } = revocationDraft(revocation);
  const event = {
    id: newId('request'),
    source: '/test',
    type,
    subject,
    time: new Date().toISOString(),
    tenantId: newId('tenant'),
    correlationId: 'c',
    contentType,
    data: revocation,
  };
  await bus.publish([{ topic, key, event }]);
}

test('what is revoked on the topic is refused, before the start and after it', async () => {
  const until = new Date(Date.now() + 300_000).toISOString();
  const [before, after] = [issuer.claims(), issuer.claims()];
  await publish({ kind: 'session', id: before.sid, userId: before.sub, until });
  await verifier.start();
  await expect(verifier.verify(await issuer.token(before))).rejects.toMatchObject({ code: 'token_revoked' });
  const token = await issuer.token(after);
  await expect(verifier.verify(token)).resolves.toBeDefined();
  await publish({ kind: 'session', id: after.sid, userId: after.sub, until });
  const began = performance.now();
  await eventually('it is refused', () =>
    verifier.verify(token).then(
      () => false,
      () => true,
    ),
  );
  expect(performance.now() - began).toBeLessThan(3_000);
});

test('where no broker can be reached nobody is let in, and the start says so', async () => {
  const lost = verifierAt(['127.0.0.1:1']);
  await expect(lost.start({ withinMs: 500 })).rejects.toMatchObject({ code: 'revocations_stale' });
  await expect(lost.verify(await issuer.token())).rejects.toMatchObject({ code: 'revocations_stale' });
}, 60_000);
