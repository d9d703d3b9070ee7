import { baseConfig } from '@reeve/service-kit';
import { keyManagementSettings, oneKeyManagement } from '@reeve/vault';
import { z } from 'zod';

export const configSchema = baseConfig
  .extend({
    ...keyManagementSettings,
    REEVE_CONSENT_CLIENT_SECRET: z.string().min(32).describe('Secret of the client reeve-consent at the issuer'),
    REEVE_CATALOGUE_FILE: z.string().min(1).describe('JSON file with the connectors that may be installed'),
  })
  .superRefine(oneKeyManagement);

export type Config = z.infer<typeof configSchema>;
