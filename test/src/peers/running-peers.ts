// The peers that `npm run test:peers` has started for this run, beside the system under test.
import { readFileSync } from 'node:fs';
import type { Peers } from '@reeve/local/peers';

export function runningPeers(): Peers {
  const file = process.env['REEVE_TEST_PEERS'];
  if (file === undefined) throw new Error('there are no peers: use `npm run test:peers`, which starts them');
  return JSON.parse(readFileSync(file, 'utf8')) as Peers;
}

/** What is needed, as the title of a skipped test says it. */
export const lackingKeycloak = 'Keycloak: needs a JDK and Maven';
export const lackingSamlSigner = 'pysaml2: needs Python with pip, and xmlsec1';
export const lackingOauth2Proxy = 'oauth2-proxy: needs Go';
export const lackingAuthlib = 'Authlib: needs Python with pip';
export const lackingSpring = 'Spring: needs a JDK and Maven';
export const lackingMcp = 'MCP: needs npm and its registry';
export const lackingBotSdks = 'the SDKs of bots: needs npm and its registry';
export const lackingCollector = 'the OpenTelemetry Collector: needs Go';
export const lackingAgentsPython = 'the Agents SDK for Python: needs Python with pip';
export const lackingOpenBao = 'OpenBao: needs Python with pip';
export const lackingMoto = 'moto: needs Python with pip';
