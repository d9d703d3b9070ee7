import { baseConfig } from '@reeve/service-kit';
import { keyManagementSettings, oneKeyManagement } from '@reeve/vault';
import { z } from 'zod';

export const configSchema = baseConfig
  .extend({
    ...keyManagementSettings,
    REEVE_CHECKPOINT_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(60)
      .describe('How often a checkpoint is signed for each tenant whose log grew'),
    REEVE_GEOIP_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('MaxMind City database (.mmdb), for the rule impossible_travel; without it that rule is off'),
    REEVE_REMOVAL_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .max(604_800)
      .default(86_400)
      .describe('How often records whose retention is over are removed'),
    REEVE_REMOVAL_DELAY_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .max(31_536_000)
      .default(604_800)
      .describe('How long a shorter retention and a confirmed deletion request wait before they remove anything'),
  })
  .superRefine(oneKeyManagement);

export type Config = z.infer<typeof configSchema>;
