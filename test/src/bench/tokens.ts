// What applications do all day, against Keycloak on the same machine: they refresh, machines get tokens, APIs ask
// about them. Refresh tokens are followed by others at both. The engines are those of the sign-ins.
import { randomUUID } from 'node:crypto';
import type { Bench, BenchContext } from './bench-context.ts';
import { brokering } from './keycloak.ts';
import {
  type Application,
  type Door,
  doorOf,
  everybodyIsNew,
  postForm,
  prepared,
  repeat,
  signInBy,
} from './sign-in.ts';

const families = 16;
const [warmUps, rounds, each] = [2_000, 3, 1_500];

type Asked = { door: Door; introspection: string; machine: Application; ofMachine: Record<string, string> };
type Both = { ours: Asked; theirs: Asked };

let made: Promise<Both> | undefined;

async function bothOf(context: BenchContext): Promise<Both> {
  everybodyIsNew(context);
  const { auth, audit } = context.credentials.urls;
  const { application, machine, tenant } = await prepared(context, 'oidc');
  const { door, realm } = await brokering(context, 'oidc');
  // Its access tokens are asked about for longer than the minute that they count by default.
  const tokens = { revokeRefreshToken: true, refreshTokenMaxReuse: 0, accessTokenLifespan: 3_600 };
  await realm.admin.ask('PUT', '', tokens);
  // Whoever asks about a token has to be in its audience there.
  const [asking] = await realm.admin.ask<{ id: string }[]>('GET', `/clients?clientId=${door.application.clientId}`);
  await realm.admin.make(`/clients/${asking?.id}/protocol-mappers/models`, {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: {
      'included.client.audience': door.application.clientId,
      'access.token.claim': 'true',
      'introspection.token.claim': 'true',
    },
  });
  const own: Application = { clientId: 'machine', clientSecret: randomUUID() };
  await realm.admin.make('/clients', {
    clientId: own.clientId,
    secret: own.clientSecret,
    protocol: 'openid-connect',
    publicClient: false,
    standardFlowEnabled: false,
    serviceAccountsEnabled: true,
  });
  return {
    ours: {
      door: doorOf(auth, application),
      introspection: `${auth}/token/introspection`,
      machine,
      ofMachine: { scope: `tenant:${tenant.id}`, resource: audit },
    },
    theirs: { door, introspection: `${door.token}/introspect`, machine: own, ofMachine: {} },
  };
}

type Work = (worker: number) => Promise<unknown>;

/** Each family has one token, which its worker alone follows. */
async function refreshing({ door }: Asked): Promise<Work> {
  const tokens = await Promise.all(Array.from({ length: families }, () => signInBy(door)));
  return async worker => {
    const form = { grant_type: 'refresh_token', refresh_token: tokens[worker]?.refresh_token ?? '' };
    tokens[worker] = await postForm(door.token, door.application, form);
  };
}

const gettingTokens = async ({ door, machine, ofMachine }: Asked): Promise<Work> => {
  return () => postForm(door.token, machine, { grant_type: 'client_credentials', ...ofMachine });
};

async function introspecting({ door, introspection }: Asked): Promise<Work> {
  const { access_token: token } = await signInBy(door);
  return async () => {
    const { active } = await postForm<{ active: boolean }>(introspection, door.application, { token });
    if (!active) throw new Error('a token that counts is said to count no more');
  };
}

const besideKeycloak = (what: string, wanted: number, workOf: (asked: Asked) => Promise<Work>): Bench => ({
  name: `auth: ${what} beside keycloak`,
  unit: 'a second',
  floorIs: 'Keycloak 26.7.3, warmed, whose refresh tokens are followed by others as well',
  wanted,
  async run(context) {
    made ??= bothOf(context);
    const both = await made;
    const [ours, theirs] = [await workOf(both.ours), await workOf(both.theirs)];
    for (const work of [ours, theirs]) await repeat(warmUps, families, work);
    const perSecond = { ours: 0, theirs: 0 };
    const before = context.processorMs()['auth'] ?? 0;
    for (let round = 0; round < rounds; round += 1) {
      perSecond.ours += (await repeat(each, families, ours)) / rounds;
      perSecond.theirs += (await repeat(each, families, theirs)) / rounds;
    }
    const processorMs = ((context.processorMs()['auth'] ?? 0) - before) / (rounds * each);
    const database = process.env['REEVE_BENCH_POSTGRES'] === undefined ? 'in memory' : 'PostgreSQL';
    const details = { perSecondOfProcessorOfAuth: Math.round(1_000 / processorMs), keycloakKeepsIt: database };
    return { ours: perSecond.ours, floor: perSecond.theirs, details };
  },
});

export const tokensBesideKeycloak = [
  besideKeycloak('refresh', 1.5, refreshing),
  besideKeycloak('client credentials', 3, gettingTokens),
  besideKeycloak('introspection', 1, introspecting),
];
