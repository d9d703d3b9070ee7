import { runService } from '@reeve/service-kit';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

await runService({ name: 'audit', schema: configSchema, environment: process.env }, createService);
