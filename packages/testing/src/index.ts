// The public face of @reeve/testing.
export { type Announcer, startAnnouncer } from './announcer.ts';
export { type Browser, createBrowser, type Fields, formOf, type Page, textsIn } from './browser.ts';
export { type Engines, engines } from './engines.ts';
export { type EventReader, readEvents, type SeenEvent } from './events.ts';
export { eventually } from './eventually.ts';
export {
  type IdentityProvider,
  type Lies,
  newProviderKey,
  type ProviderKey,
  signedBy,
  startIdentityProvider,
} from './identity-provider.ts';
export { callers, type Issuer, startIssuer } from './issuer.ts';
export { listen } from './listen.ts';
export { type MailServer, startMailServer } from './mail-server.ts';
export { type NameServer, startNameServer } from './name-server.ts';
export { type OpenIdProvider, type Person, startOpenIdProvider } from './openid-provider.ts';
export { wastefulAmong, wastefulQueries } from './queries.ts';
export { type Answer, type Ask, type RunningService, startService } from './service.ts';
export { newVaultKey, vaultKeyFile } from './vault-key-file.ts';
