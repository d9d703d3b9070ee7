// The public face of @reeve/service-kit. The SSRF guard is at @reeve/service-kit/outbound, since a service that fetches
// nothing need not pay for its HTTP client: 13 MB.
export { sendError } from './answer.ts';
export { type AppParts, createApp } from './app.ts';
export { assertReaches } from './assert-reaches.ts';
export { type BaseConfig, baseConfig, commaSeparated, loadConfig } from './config.ts';
export { diagnosticsRoutes } from './diagnostics/diagnostics-routes.ts';
export { createFoundation, type Foundation } from './foundation.ts';
export { createGiveWay, type GiveWay, yieldEvery } from './give-way.ts';
export {
  type AssertSignIn,
  type Authenticate,
  addressOf,
  causeOf,
  type Known,
  requestIdOf,
  searchOf,
} from './handle-route.ts';
export { type Held, isLeased, type Lease, type LeaseBy, leased, leaseFor } from './lease.ts';
export { createLogger, type Logger } from './logger.ts';
export { networkOf } from './network-of.ts';
export { type Brand, contentSecurityPolicy, type Words } from './pages/document.ts';
export { failure, type Meaning } from './pages/error-page.ts';
export { Html, html } from './pages/html.ts';
export { type InEach, type Language, languages, say } from './pages/language.ts';
export { pageScript } from './pages/page-script.ts';
export { pagesAreFor, type Reader } from './pages/reader.ts';
export { renderPage } from './pages/send-page.ts';
export { peerFetch } from './peer-fetch.ts';
export { toProblem } from './problem-json.ts';
export {
  type Asked,
  browserRouteFor,
  instant,
  openRoute,
  ownRoute,
  ownTenantRoute,
  type Page,
  paged,
  pageOf,
  pageQuery,
  platformRoute,
  type Reply,
  type Route,
  scimRouteFor,
  tenantRoute,
} from './route.ts';
export { runService, type Service } from './run-service.ts';
export { changeExisting, createOnce, readExisting } from './save.ts';
export { listedSigningKey, signingKeyRotation } from './signing-key-rotation.ts';
export { createStanding, type PersonStanding, type Standing } from './standing.ts';
export { assertMeets, type SignInDemand } from './step-up.ts';
export {
  createTenantDirectory,
  type KnownTenant,
  lookUpIn,
  type TenantDirectory,
  tenantDirectory,
} from './tenant-directory.ts';
export type { Caller, VerifyToken } from './token-verifier.ts';
export { validate } from './validate.ts';
export { type Due, worker } from './worker.ts';
