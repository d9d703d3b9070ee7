// Bots of docs/bots.md as processes, each on the SDK that others wrote, and the sidecar beside it.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OAuthClient } from '@reeve/local/oauth-clients';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { freePort } from '@reeve/local/ports';
import { samplesIn } from '../support/published-sdk.ts';
import { type Program, type RunningProgram, startProgram } from '../support/running-program.ts';
import { type BotHome, connectionName } from './bot-home.ts';
import type { DirectLine } from './direct-line/direct-line.ts';
import { playMicrosoft } from './microsoft-keys.ts';

const identityHeader = 'the identity header of this pod';

export type RunningBot = { url: string; said(): string; stop(): Promise<void> };

type Around = { home: BotHome; line: DirectLine };

/** Gives where it is. */
async function startSidecar({ issuer, clientId, clientSecret }: BotHome) {
  const port = await freePort();
  const sidecar = startProgram({
    command: nodeBinary,
    args: [join(repositoryRoot, 'packages/bot-sidecar/bin/reeve-bot-sidecar.mjs')],
    env: {
      REEVE_ISSUER: issuer,
      REEVE_CLIENT_ID: clientId,
      REEVE_CLIENT_SECRET: clientSecret,
      REEVE_IDENTITY_HEADER: identityHeader,
      PORT: String(port),
    },
  });
  await sidecar.says('listening');
  return { url: `http://localhost:${port}`, sidecar };
}

/** A file of docs/bots.md in a folder with nothing of ours. */
function folderWith(file: string, modules: string | null) {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-bot-'));
  writeFileSync(join(directory, file), samplesIn('docs/bots.md').get(file) ?? '');
  if (modules !== null) symlinkSync(modules, join(directory, 'node_modules'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

type Start = Around & {
  file: string;
  modules: string | null;
  program: Omit<Program, 'args' | 'cwd'>;
  environmentAt(sidecarUrl: string): Record<string, string>;
};

async function start({ home, file, modules, program, environmentAt }: Start): Promise<RunningBot> {
  const { url: sidecarUrl, sidecar } = await startSidecar(home);
  const { directory, remove } = folderWith(file, modules);
  const port = await freePort();
  const env = {
    PORT: String(port),
    API_URL: home.messages.url,
    CONNECTION_NAME: connectionName,
    ...environmentAt(sidecarUrl),
    ...program.env,
  };
  const bot: RunningProgram = startProgram({ command: program.command, args: [file], cwd: directory, env });
  try {
    await bot.says('istening', 40_000);
  } catch (error) {
    await Promise.all([bot.stop(), sidecar.stop()]);
    throw error;
  }
  return {
    url: `http://localhost:${port}/api/messages`,
    said: () => bot.said() + sidecar.said(),
    async stop() {
      await Promise.all([bot.stop(), sidecar.stop()]);
      remove();
    },
  };
}

const handler = 'AgentApplication__UserAuthorization__handlers__product__settings__azureBotOAuthConnectionName';

export const startAgentsBot = (around: Around, modules: string) =>
  start({
    ...around,
    file: 'bot.mjs',
    modules,
    program: { command: nodeBinary },
    environmentAt: sidecarUrl => ({
      NODE_ENV: 'production',
      TOKEN_SERVICE_ENDPOINT: around.home.issuer,
      SIDECAR_URL: sidecarUrl,
      Connections__reeve__Settings__clientId: around.home.clientId,
      Connections__reeve__Settings__tenantId: around.home.tenant.id,
      Connections__reeve__Settings__authType: 'EntraAuthSideCar',
      Connections__reeve__Settings__authorityEndpoint: around.line.url,
      ConnectionsMap__0__serviceUrl: '*',
      ConnectionsMap__0__connection: 'reeve',
      [handler]: connectionName,
    }),
  });

export const startBotbuilderBot = (around: Around, modules: string) =>
  start({
    ...around,
    file: 'botbuilder-bot.mjs',
    modules,
    program: { command: nodeBinary },
    environmentAt: sidecarUrl => ({
      MicrosoftAppId: around.home.clientId,
      MicrosoftAppTenantId: around.home.tenant.id,
      MicrosoftAppType: 'UserAssignedMsi',
      IDENTITY_ENDPOINT: `${sidecarUrl}/msi/token`,
      IDENTITY_HEADER: identityHeader,
      OAuthUrl: around.home.issuer,
      ToChannelFromBotLoginUrl: around.line.url,
      ToChannelFromBotOAuthScope: 'https://api.botframework.com',
      ToBotFromChannelTokenIssuer: around.line.url,
      ToBotFromChannelOpenIdMetadataUrl: `${around.line.url}/.well-known/openidconfiguration`,
      ToBotFromEmulatorOpenIdMetadataUrl: `${around.line.url}/.well-known/openidconfiguration`,
      CallerId: 'reeve',
    }),
  });

const connection = 'CONNECTIONS__SERVICE_CONNECTION__SETTINGS__';
const pythonHandler = 'AGENTAPPLICATION__USERAUTHORIZATION__HANDLERS__PRODUCT__SETTINGS__AZUREBOTOAUTHCONNECTIONNAME';

/** Its channel is Azure's, so far as it can tell. */
export async function startPythonBot(around: Around, { command, env }: OAuthClient): Promise<RunningBot> {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-microsoft-'));
  const microsoft = await playMicrosoft({ directory, keys: `${around.line.url}/keys` });
  const bot = await start({
    ...around,
    file: 'agent.py',
    modules: null,
    program: { command, env: { ...env, ...microsoft.env } },
    environmentAt: sidecarUrl => ({
      TOKEN_SERVICE_ENDPOINT: around.home.issuer,
      IDENTITY_ENDPOINT: `${sidecarUrl}/msi/token`,
      IDENTITY_HEADER: identityHeader,
      [`${connection}CLIENTID`]: around.home.clientId,
      [`${connection}TENANTID`]: around.home.tenant.id,
      [`${connection}AUTHTYPE`]: 'UserManagedIdentity',
      [pythonHandler]: connectionName,
    }),
  });
  return {
    ...bot,
    async stop() {
      await bot.stop();
      await microsoft.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
