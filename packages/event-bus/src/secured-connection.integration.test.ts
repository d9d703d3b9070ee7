// TLS and SASL as a broker has them: one of its own, with the same protocols that a customer's cluster speaks.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { saslProperties, tlsProperties } from '@reeve/local/kafka-engine';
import { startOwnKafka } from '@reeve/local/own-kafka';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { generate } from 'selfsigned';
import type { ConnectionOptions, Sasl, Tls } from './connection.ts';
import { collectLog, freshTopic, message, until } from './event-bus.test-support.ts';
import { createEventBus, type EventBus } from './event-bus.ts';

type Certificate = { key: string; cert: string };
type Way = Pick<ConnectionOptions, 'brokers' | 'tls' | 'sasl'>;

const directory = mkdtempSync(join(tmpdir(), 'reeve-secured-'));
const user = { username: 'reeve', password: randomUUID() };
const audience = 'kafka';
let own: Awaited<ReturnType<typeof startOwnKafka>>;
let authority: Certificate;
let stranger: Certificate;
let client: Certificate;
let clientOfStranger: Certificate;
let signingKey: CryptoKey;
const open: EventBus[] = [];

/** By somebody, or an authority of its own. */
async function certificate(name: string, by: Certificate | null): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    algorithm: 'sha256',
    ...(by ? { ca: by } : {}),
    extensions: [
      { name: 'basicConstraints', cA: by === null, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

async function tokenFor({ livesSeconds = 300, forAudience = audience, key = signingKey } = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ scope: 'kafka' })
    .setProtectedHeader({ alg: 'RS256', kid: 'the key' })
    .setSubject('reeve')
    .setIssuer('https://issuer.example')
    .setAudience(forAudience)
    .setIssuedAt(now + Math.min(0, livesSeconds) - 1)
    .setExpirationTime(now + livesSeconds)
    .sign(key);
}

beforeAll(async () => {
  authority = await certificate('authority', null);
  stranger = await certificate('stranger', null);
  client = await certificate('client', authority);
  clientOfStranger = await certificate('client', stranger);
  const broker = await certificate('localhost', authority);
  const elsewhere = await certificate('broker.example', authority);
  const pair = await generateKeyPair('RS256');
  signingKey = pair.privateKey;
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'the key', alg: 'RS256', use: 'sig' }];
  writeFileSync(join(directory, 'keys.json'), JSON.stringify({ keys }));
  const keysUrl = pathToFileURL(join(directory, 'keys.json')).href;
  const bearer = 'listener.name.sasl.oauthbearer';
  const ofKafka = 'org.apache.kafka.common.security.oauthbearer';
  own = await startOwnKafka({
    listeners: { TLS: 'SSL', MISNAMED: 'SSL', MUTUAL: 'SSL', SASL: 'SASL_SSL' },
    jvm: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${keysUrl}`],
    properties: [
      ...tlsProperties({ key: broker.key, certificate: broker.cert, trusted: authority.cert }),
      ...tlsProperties({ key: elsewhere.key, certificate: elsewhere.cert, trusted: authority.cert }).map(
        line => `listener.name.misnamed.${line}`,
      ),
      'listener.name.mutual.ssl.client.auth=required',
      'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      ...saslProperties('sasl', user),
      `${bearer}.sasl.jaas.config=${ofKafka}.OAuthBearerLoginModule required;`,
      `${bearer}.sasl.server.callback.handler.class=${ofKafka}.OAuthBearerValidatorCallbackHandler`,
      // Kafka 4.1 finds this by the name of the listener alone; what it takes without it checks no signature.
      `listener.name.sasl.sasl.oauthbearer.jwt.validator.class=${ofKafka}.BrokerJwtValidator`,
      `${bearer}.sasl.oauthbearer.jwks.endpoint.url=${keysUrl}`,
      `${bearer}.sasl.oauthbearer.expected.audience=${audience}`,
      `${bearer}.connections.max.reauth.ms=12000`,
    ],
  });
  await own.allowScram(user);
  // A broker that was never used makes its coordinators first, and says so.
  await goesRound(busBy({ brokers: [own.address] }).bus);
}, 120_000);
afterAll(async () => {
  await Promise.all(open.map(bus => bus.stop()));
  await own.stop();
  rmSync(directory, { recursive: true, force: true });
});

function busBy(way: Way) {
  const { log, lines } = collectLog();
  const bus = createEventBus({ clientId: 'test', log, ...way });
  open.push(bus);
  return { bus, lines };
}

const at = (listener: string) => [`localhost:${own.ports[listener]}`];
const tls = (changes: Tls = {}): Way => ({ brokers: at('TLS'), tls: { ca: authority.cert, ...changes } });
const mutual = (changes: Tls = client): Way => ({ brokers: at('MUTUAL'), tls: { ca: authority.cert, ...changes } });
const sasl = (how: Sasl): Way => ({ brokers: at('SASL'), tls: { ca: authority.cert }, sasl: how });
const plain = (changes = {}): Way => sasl({ mechanism: 'plain', ...user, ...changes });
const scram256 = (changes = {}): Way => sasl({ mechanism: 'scram-sha-256', ...user, ...changes });
const scram512 = (changes = {}): Way => sasl({ mechanism: 'scram-sha-512', ...user, ...changes });
const bearer = (token: () => Promise<string> = () => tokenFor()): Way => sasl({ mechanism: 'oauthbearer', token });

/** Published, consumed and followed. */
async function goesRound(bus: EventBus): Promise<void> {
  const topic = await freshTopic(bus);
  const arrived: string[] = [];
  await bus.consume({
    group: topic,
    topics: [topic],
    handleBatch: ({ events }) => Promise.resolve(void arrived.push(...events.map(({ id }) => `consumed ${id}`))),
  });
  const following = await bus.follow(topic, ({ headers }) => void arrived.push(`followed ${headers?.['ce_id']}`));
  await following.caughtUp;
  const sent = message(topic, {});
  await bus.publish([sent]);
  await until(() => ['consumed', 'followed'].every(how => arrived.includes(`${how} ${sent.event.id}`)));
}

describe('with the right credentials events are published, consumed and followed', () => {
  test.each<[string, () => Way]>([
    ['without TLS and SASL', () => ({ brokers: [own.address] })],
    ['by TLS', tls],
    ['by mutual TLS', mutual],
    ['by TLS and SASL PLAIN', plain],
    ['by TLS and SCRAM-SHA-256', scram256],
    ['by TLS and SCRAM-SHA-512', scram512],
    ['by TLS and OAUTHBEARER', bearer],
  ])('%s', async (_, way) => {
    const { bus, lines } = busBy(way());
    await goesRound(bus);
    expect(lines).toEqual([]);
  });
});

describe('what is wrong is refused and named, what is right beside it is not, and no secret is shown', () => {
  const wrong = 'a-wrong-password';
  const tokens: string[] = [];
  const remembered = async (changes: Parameters<typeof tokenFor>[0]) => {
    const token = await tokenFor(changes);
    tokens.push(token);
    return token;
  };
  const signedByAnother = async () => remembered({ key: (await generateKeyPair('RS256')).privateKey });
  const unavailable = () => Promise.reject(new Error('the endpoint answered 503'));

  async function expectRefused({ attempt, control, error }: { attempt: Way; control: Way; error: RegExp }) {
    await busBy(control).bus.ping();
    const { bus, lines } = busBy(attempt);
    const refusal: unknown = await bus.ping().catch((reason: unknown) => reason);
    expect(String(refusal)).toMatch(error);
    expect(lines.join()).toMatch(error);
    const shown = [inspect(refusal, { depth: 9 }), ...lines].join();
    for (const secret of [user.password, wrong, client.key, clientOfStranger.key, ...tokens])
      expect(shown).not.toContain(secret);
  }

  test.each<[string, () => Way, () => Way, RegExp]>([
    ['a wrong password', () => plain({ password: wrong }), plain, /PLAIN.*username or password/],
    ['an unknown user', () => plain({ username: 'nobody' }), plain, /PLAIN.*username or password/],
    ['a wrong password by SCRAM-SHA-256', () => scram256({ password: wrong }), scram256, /credentials.*SCRAM-SHA-256/],
    ['a wrong password by SCRAM-SHA-512', () => scram512({ password: wrong }), scram512, /credentials.*SCRAM-SHA-512/],
    ['a token that has expired', () => bearer(() => remembered({ livesSeconds: -60 })), bearer, /refused the token/],
    ['a token for another', () => bearer(() => remembered({ forAudience: 'another' })), bearer, /refused the token/],
    ['a token that another signed', () => bearer(signedByAnother), bearer, /OAUTHBEARER.*refused the token.*invalid_/],
    ['no token', () => bearer(unavailable), bearer, /OAUTHBEARER.*no token.*answered 503/],
  ])('%s', async (_, attempt, control, error) => {
    await expectRefused({ attempt: attempt(), control: control(), error });
  });

  test("an authority or a name that is not the broker's, and a certificate that is not ours, or none", async () => {
    const misnamed = { ...tls(), brokers: at('MISNAMED') };
    await Promise.all([
      expectRefused({ attempt: tls({ ca: stranger.cert }), control: tls(), error: /unable to verify the first cert/ }),
      expectRefused({ attempt: misnamed, control: tls(), error: /Hostname.*localhost.*broker\.example/ }),
      expectRefused({ attempt: mutual({}), control: mutual(), error: /alert bad certificate/ }),
      expectRefused({ attempt: mutual(clientOfStranger), control: mutual(), error: /alert certificate unknown/ }),
    ]);
  });
});

test('a session that the broker ends is begun anew, and a login that fails for a while ends nothing', async () => {
  let failing = false;
  let asked = 0;
  const { bus, lines } = busBy(
    bearer(() => {
      asked += 1;
      return failing ? Promise.reject(new Error('the endpoint answered 503')) : tokenFor({ livesSeconds: 15 });
    }),
  );
  const topic = await freshTopic(bus);
  const handled: string[] = [];
  const { joined } = await bus.consume({
    group: topic,
    topics: [topic],
    handleBatch: ({ events }) => Promise.resolve(void handled.push(...events.map(({ id }) => id))),
  });
  const following = await bus.follow(topic, ({ headers }) => void handled.push(`followed ${headers?.['ce_id']}`));
  await Promise.all([joined, following.caughtUp]);
  const { bus: other } = busBy({ brokers: [own.address] });
  const goesRound = async () => {
    const sent = message(topic, {});
    await other.publish([sent]);
    await until(() => handled.includes(sent.event.id) && handled.includes(`followed ${sent.event.id}`), 30_000);
  };
  const askedBefore = asked;
  await until(() => asked > askedBefore + 5);
  await goesRound();
  expect(lines).toEqual([]);
  failing = true;
  await until(() => lines.some(line => line.includes('Crash')));
  await pause(1_000);
  failing = false;
  await goesRound();
  await bus.publish([message(topic, {})]);
  expect(lines.every(line => line.startsWith('warn'))).toBe(true);
}, 90_000);
