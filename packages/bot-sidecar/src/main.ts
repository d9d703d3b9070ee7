// Gives a bot on the Microsoft 365 Agents SDK its token. The only reader of the environment.
import { pino } from 'pino';
import { type Config, ConfigError, readConfig } from './config.ts';
import { createSidecar } from './sidecar.ts';

const exitBadConfig = 78; // EX_CONFIG of sysexits.h

function configOf(environment: NodeJS.ProcessEnv): Config {
  try {
    return readConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`bot-sidecar: ${error.message}\n`);
    process.exit(exitBadConfig);
  }
}

const config = configOf(process.env);
const log = pino({ level: config.logLevel, base: { service: 'bot-sidecar' } });
const sidecar = createSidecar(config, log);
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    log.info({ signal }, 'stopping');
    void sidecar.stop().then(() => {
      log.info('stopped');
      process.exit(0);
    });
  });
try {
  log.info({ port: await sidecar.start(), host: config.host }, 'listening');
} catch (error) {
  process.stderr.write(`bot-sidecar: could not start: ${(error as Error).message}\n`);
  process.exit(1);
}
