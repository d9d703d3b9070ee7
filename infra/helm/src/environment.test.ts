// What services are given is what they know and need: asked of their own schemas, and of what else says so.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfigSchema, readConfigurations } from '@reeve/local/configuration';
import { repositoryRoot } from '@reeve/local/paths';
import { type ServiceName, serviceNames } from '@reeve/local/system';
import { type BaseConfig, loadConfig } from '@reeve/service-kit';
import { parse } from 'yaml';
import type { z } from 'zod';
import { chart, type Deployment, deploymentsOf, examples, one, render } from './chart.test-support.ts';
import { furtherVariables } from './values.ts';

/** What Secrets would hold. */
const secretValues: Record<string, string> = {
  MONGODB_URI: 'mongodb://user:password@mongodb:27017/',
  REEVE_SMTP_URL: 'smtps://user:password@mail.example',
};
const anySecret = 'a-secret-of-more-than-thirty-two-characters';
/** As the image says. */
const ofTheImage = { NODE_ENV: 'production' };
/** Of Node.js and the C library: how memory is kept down. */
const ofTheRuntime = ['NODE_OPTIONS', 'MALLOC_ARENA_MAX'];

function environmentOf({ spec }: Deployment): Record<string, string> {
  const { env } = one(spec.template.spec.containers);
  return Object.fromEntries(env.map(({ name, value }) => [name, value ?? secretValues[name] ?? anySecret]));
}

/** What the service would say before it refuses to start. Null where it starts. */
async function refusal(name: ServiceName, environment: Record<string, string>): Promise<string | null> {
  const schema = (await readConfigSchema(name)) as z.ZodType<BaseConfig>;
  try {
    loadConfig(schema, { ...ofTheImage, ...environment });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const known = await readConfigurations();

function unknown(name: ServiceName, environment: Record<string, string>): string[] {
  const names = [...(known.get(name) ?? []).map(variable => variable.name), ...ofTheRuntime];
  return Object.keys(environment).filter(variable => !names.includes(variable) && !(variable in furtherVariables));
}

chart.describe('the environment', () => {
  test.each(examples)('%s: each service takes it, and knows every variable', async example => {
    for (const [name, deployment] of deploymentsOf(render(example))) {
      const environment = environmentOf(deployment);
      expect({ name, refusal: await refusal(name as ServiceName, environment) }).toEqual({ name, refusal: null });
      expect({ name, unknown: unknown(name as ServiceName, environment) }).toEqual({ name, unknown: [] });
    }
  });

  test('control: one that is missing and one that nobody knows are found', async () => {
    for (const [name, deployment] of deploymentsOf(render('minimal'))) {
      const { REEVE_SELF_URL: _, ...environment } = environmentOf(deployment);
      expect(await refusal(name as ServiceName, environment)).toContain('REEVE_SELF_URL');
      expect(unknown(name as ServiceName, { ...environment, REEVE_SELFURL: 'https://id.example.com' })).toEqual([
        'REEVE_SELFURL',
      ]);
    }
  });

  test('every variable without a default is set', () => {
    const required = serviceNames.flatMap(name =>
      (known.get(name) ?? []).filter(({ isRequired }) => isRequired).map(variable => [name, variable.name]),
    );
    expect(required.length).toBeGreaterThan(30);
    const deployments = deploymentsOf(render('minimal'));
    const isSet = ([name = '', variable = '']: string[]) => {
      const deployment = deployments.get(name);
      return deployment !== undefined && variable in environmentOf(deployment);
    };
    expect(required.filter(each => !isSet(each))).toEqual([]);
    expect(isSet(['auth', 'REEVE_CATALOGUE_FILE'])).toBe(false);
  });

  test('a setting of all reaches all, and one of a service goes before it', () => {
    const set = ['settings.LOG_LEVEL=warn', 'services.audit.settings.LOG_LEVEL=debug'];
    const levels = [...deploymentsOf(render('minimal', { set }))].map(([name, each]) => [
      name,
      environmentOf(each)['LOG_LEVEL'],
    ]);
    expect(Object.fromEntries(levels)).toEqual({
      ...Object.fromEntries(serviceNames.map(name => [name, 'warn'])),
      audit: 'debug',
    });
  });

  test('a service is given the secrets alone that it needs', () => {
    const deployments = deploymentsOf(render('minimal'));
    const taken = [...deployments].map(([name, { spec }]) => {
      const { env } = one(spec.template.spec.containers);
      const keys = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef.key ?? []);
      const files = JSON.stringify(spec.template.spec.volumes).match(/(?<="key":")[^"]+/g) ?? [];
      return [name, [...keys, ...files].toSorted()];
    });
    expect(Object.fromEntries(taken)).toEqual({
      auth: ['consent-client-secret', 'cookie-keys', 'mongodb-uri', 'platform-client-secret', 'vault-keys.json'],
      provisioning: ['mongodb-uri'],
      'connector-consent': ['catalogue.json', 'consent-client-secret', 'mongodb-uri', 'vault-keys.json'],
      'webhook-ingress': ['mongodb-uri', 'vault-keys.json'],
      audit: ['mongodb-uri', 'vault-keys.json'],
    });
  });

  test('a file that a variable names is mounted, for the group of the service alone', () => {
    for (const example of examples)
      for (const deployment of deploymentsOf(render(example)).values()) {
        const named = Object.values(environmentOf(deployment)).flatMap(
          value => value.match(/(?<=^\/etc\/reeve\/).+/) ?? [],
        );
        const files = deployment.spec.template.spec.volumes.find(({ name }) => name === 'files');
        const mounted = JSON.stringify(files ?? {}).match(/(?<="path":")[^"]+/g) ?? [];
        expect(mounted).toEqual(expect.arrayContaining(named));
        expect(files === undefined || (files['projected'] as { defaultMode: number }).defaultMode === 0o440).toBe(true);
      }
  });

  test('what keeps memory down is as in docker-compose.yml', () => {
    const { services } = parse(readFileSync(join(repositoryRoot, 'docker-compose.yml'), 'utf8'), { merge: true });
    for (const [name, deployment] of deploymentsOf(render('minimal'))) {
      const environment = environmentOf(deployment);
      for (const variable of ofTheRuntime)
        expect([name, environment[variable]]).toEqual([name, services[name].environment[variable]]);
    }
  });
});

chart.describe('a pod that ends', () => {
  test('has the time that its service gives itself, after nobody sends anything any more', () => {
    const source = readFileSync(join(repositoryRoot, 'packages/service-kit/src/run-service.ts'), 'utf8');
    const own = Number(source.match(/stopWithinMs = ([\d_]+)/)?.[1]?.replace('_', '')) / 1_000;
    expect(own).toBeGreaterThan(0);
    for (const { spec } of deploymentsOf(render('minimal')).values()) {
      const { seconds } = one(spec.template.spec.containers).lifecycle.preStop.sleep;
      expect(seconds).toBeGreaterThan(0);
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(seconds + own);
    }
  });
});

chart.describe('a pod that starts', () => {
  test('is given more time than its service gives itself', () => {
    for (const startSeconds of [60, 600])
      for (const deployment of deploymentsOf(render('minimal', { set: [`startSeconds=${startSeconds}`] })).values()) {
        const { startupProbe } = one(deployment.spec.template.spec.containers);
        expect(environmentOf(deployment)['REEVE_START_SECONDS']).toBe(String(startSeconds));
        expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThan(startSeconds);
      }
  });

  test('is not restarted for what its engines lack, but gets no requests, unless it can do without', () => {
    for (const [name, { spec }] of deploymentsOf(render('minimal'))) {
      const { startupProbe, livenessProbe, readinessProbe } = one(spec.template.spec.containers);
      expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
        '/healthz',
        '/healthz',
        name === 'webhook-ingress' ? '/healthz' : '/readyz',
      ]);
    }
  });
});
