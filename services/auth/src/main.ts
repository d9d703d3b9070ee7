import { runService } from '@reeve/service-kit';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

await runService({ name: 'auth', schema: configSchema, environment: process.env }, createService);
