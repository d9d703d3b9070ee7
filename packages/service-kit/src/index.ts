// The public face of @reeve/service-kit. The SSRF guard is at @reeve/service-kit/outbound, since a service that fetches nothing need not
// pay for its HTTP client: 13 MB.
export { type AppContent, type AppParts, contentSecurityPolicy, createApp } from './app.ts';
export { type BaseConfig, baseConfig, commaSeparated } from './config.ts';
export { createFoundation, type Foundation } from './foundation.ts';
export { addressOf, causeOf } from './handle-route.ts';
export { Html, html, page } from './html.ts';
export { createLogger, type Logger } from './logger.ts';
export { sendProblem, toProblem, whenTaken } from './problem-json.ts';
export { repeatedly } from './repeatedly.ts';
export { instant, pageOf, pageQuery, platformRoute, type Route, tenantRoute } from './route.ts';
export { runService, type Service } from './run-service.ts';
export { createTenantDirectory, type KnownTenant, type TenantDirectory } from './tenant-directory.ts';
export { type Caller, createTokenVerifier, type VerifyToken } from './token-verifier.ts';
