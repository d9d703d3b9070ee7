import { baseConfig } from '@reeve/service-kit';
import { z } from 'zod';

export const configSchema = baseConfig.extend({
  REEVE_VAULT_KEY_FILE: z.string().min(1).describe('Key file of the local key management'),
});

export type Config = z.infer<typeof configSchema>;
