// What others wrote, as processes on this machine, for `npm run test:peers`.
import { type Child, createDeathWatch } from '../children.ts';
import { freePort } from '../ports.ts';
import type { Run } from '../run.ts';
import { SetupError } from '../setup-error.ts';
import { fetchAgentsPython, fetchBotSdks } from './bot-sdks.ts';
import { fetchCollector } from './collector.ts';
import { fetchMoto, fetchOpenBao } from './key-services.ts';
import { type Keycloak, startKeycloak } from './keycloak.ts';
import { fetchAuthlib, fetchMcp, fetchOauth2Proxy, type OAuthClient } from './oauth-clients.ts';
import { type SamlSigner, startSamlSigner } from './saml-signer.ts';
import type { TlsSite } from './tls-site.ts';

/** What the tests find in REEVE_TEST_PEERS, as JSON. Null is what this machine cannot run. */
export type Peers = {
  keycloak: Keycloak | null;
  samlSigner: SamlSigner | null;
  oauth2Proxy: OAuthClient | null;
  authlib: OAuthClient | null;
  /** Where packages of the Model Context Protocol are. */
  mcp: string | null;
  /** Where packages of bots in JavaScript are. */
  botSdks: string | null;
  agentsPython: OAuthClient | null;
  /** The program of the OpenTelemetry Collector. */
  collector: string | null;
  /** The program. */
  openBao: string | null;
  /** With `-m moto.server` after it. */
  moto: OAuthClient | null;
  site: TlsSite;
};

export type PeerPorts = { keycloak: number; samlSigner: number };

export const freePeerPorts = async (): Promise<PeerPorts> => ({
  keycloak: await freePort(),
  samlSigner: await freePort(),
});

/** Where services have to be let through to. */
export const peerOrigins = (ports: PeerPorts): string =>
  Object.values(ports)
    .map(port => `http://localhost:${port}`)
    .join(',');

type Options = {
  ports: PeerPorts;
  site: TlsSite;
  directory: string;
  /** Throws SetupError for a peer that is not to be had, which is left out otherwise. */
  areNeeded: boolean;
};

export async function startPeers(
  { children, say }: Run,
  { ports, site, directory, areNeeded }: Options,
): Promise<Peers> {
  const { died, watch } = createDeathWatch();
  void died.catch((error: Error) => say(error.message));

  async function ifThere<T>(name: string, having: Promise<T>): Promise<T | null> {
    try {
      return await having;
    } catch (error) {
      if (areNeeded || !(error instanceof SetupError)) throw error;
      say(`${name}: ${error.message}`);
      return null;
    }
  }

  async function started<T extends { child: Child }>(name: string, starting: Promise<T>): Promise<T | null> {
    const peer = await ifThere(name, starting);
    if (peer) watch(peer.child);
    return peer;
  }

  const [keycloak, samlSigner, oauth2Proxy, authlib, mcp, botSdks, agentsPython, collector, openBao, moto] =
    await Promise.all([
      started('Keycloak', startKeycloak(children, { port: ports.keycloak, say })),
      started('pysaml2', startSamlSigner(children, { port: ports.samlSigner, directory, say })),
      ifThere('oauth2-proxy', fetchOauth2Proxy(children, say)),
      ifThere('Authlib', fetchAuthlib(children, say)),
      ifThere('MCP', fetchMcp(children, say)),
      ifThere('the SDKs of bots', fetchBotSdks(children, say)),
      ifThere('the Agents SDK for Python', fetchAgentsPython(children, say)),
      ifThere('the OpenTelemetry Collector', fetchCollector(children, say)),
      ifThere('OpenBao', fetchOpenBao(children, say)),
      ifThere('moto', fetchMoto(children, say)),
    ]);
  return {
    keycloak: keycloak?.keycloak ?? null,
    samlSigner: samlSigner?.samlSigner ?? null,
    oauth2Proxy,
    authlib,
    mcp,
    botSdks,
    agentsPython,
    collector,
    openBao,
    moto,
    site,
  };
}
