import { baseConfig } from '@reeve/service-kit';
import type { z } from 'zod';

export const configSchema = baseConfig;

export type Config = z.infer<typeof configSchema>;
