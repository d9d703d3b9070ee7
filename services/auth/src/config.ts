import { baseConfig, commaSeparated } from '@reeve/service-kit';
import { keyManagementSettings, oneKeyManagement } from '@reeve/vault';
import { z } from 'zod';
import { isResolverAddress } from './domains/look-up-txt.ts';

export const configSchema = baseConfig
  .extend({
    ...keyManagementSettings,
    REEVE_PROVISIONING_URL: z.url().describe('URL of provisioning; also the audience of our tokens for it'),
    REEVE_PROVISIONING_ADDRESS: z
      .url()
      .optional()
      .describe('Where to reach provisioning inside the network, when not at REEVE_PROVISIONING_URL'),
    REEVE_RESOURCES: commaSeparated
      .pipe(z.array(z.url()).min(1))
      .describe('URLs of the services that access tokens can be for'),
    REEVE_PLATFORM_CLIENT_ID: z
      .string()
      .min(1)
      .refine(id => !/^https?:/i.test(id), 'must not be a URL: those are ids of applications that nobody registered')
      .describe('Client of the platform team, with platform:admin'),
    REEVE_PLATFORM_CLIENT_SECRET: z.string().min(32).describe('Its secret'),
    REEVE_CONSENT_URL: z.url().describe('URL of connector-consent, which signs people in here'),
    REEVE_CONSENT_CLIENT_SECRET: z.string().min(32).describe('Its client secret'),
    REEVE_COOKIE_KEYS: commaSeparated
      .pipe(z.array(z.string().min(32)).min(1))
      .describe('Keys that sign cookies and refresh tokens, newest first'),
    REEVE_REFRESH_GRACE_SECONDS: z.coerce
      .number()
      .min(0)
      .max(60)
      .default(30)
      .describe(
        'How long a refresh token that has been followed may come again, for clients that refresh twice at once, or got no ' +
          'answer',
      ),
    REEVE_GEOIP_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('MaxMind City database (.mmdb), for the places of sessions; without it they are shown by address'),
    REEVE_METADATA_REFRESH_HOURS: z.coerce
      .number()
      .min(0.25)
      .max(168)
      .default(6)
      .describe('How often the metadata of SAML identity providers is read again, a tenth sooner or later'),
    REEVE_SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .optional()
      .describe(
        'Server for mail, smtp://user:password@host:587 (with STARTTLS, which is demanded) or smtps://; without one, ' +
          'warnings of what ends are events and stand on pages, and no mail is sent',
      ),
    REEVE_MAIL_FROM: z
      .string()
      .regex(
        /^([^<>\r\n]* )?<?[^\s@<>]+@[^\s@<>]+>?$/,
        'must be an address, or a name and an address in angle brackets',
      )
      .optional()
      .describe(
        'Sender of mail, as in: Acme <no-reply@acme.example>; no-reply at the host of the issuer where it is empty',
      ),
    REEVE_DNS_SERVERS: commaSeparated
      .pipe(z.array(z.string().refine(isResolverAddress, 'must be an IP address, with a port or without')))
      .default([])
      .describe(
        'Resolvers that validate DNSSEC, as ip or ip:port, which are asked for the records of domains; of several, in ' +
          "different places, all that answer have to agree. The system's where it is empty",
      ),
  })
  .superRefine(oneKeyManagement);

export type Config = z.infer<typeof configSchema>;
