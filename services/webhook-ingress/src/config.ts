import { baseConfig } from '@reeve/service-kit';
import { keyManagementSettings, oneKeyManagement } from '@reeve/vault';
import { z } from 'zod';

export const configSchema = baseConfig
  .extend({
    ...keyManagementSettings,
  })
  .superRefine(oneKeyManagement);

export type Config = z.infer<typeof configSchema>;
