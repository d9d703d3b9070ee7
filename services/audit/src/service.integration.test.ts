// What the service declares of its routes, as its OpenAPI document says it.
import { createServer } from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger, loadConfig } from '@reeve/service-kit';
import { engines, listen, vaultKeyFile } from '@reeve/testing';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

type Operation = {
  parameters: { name: string; in: string }[];
  'x-reeve-action'?: string;
  responses: Record<string, { content?: Record<string, unknown> }>;
};
type Document = { paths: Record<string, Record<string, Operation>> };

let operations: { what: string; operation: Operation }[];

beforeAll(async () => {
  const { kafka, mongodb } = engines();
  const keyFile = vaultKeyFile();
  const config = loadConfig(configSchema, {
    NODE_ENV: 'test',
    PORT: '0',
    REEVE_SELF_URL: 'http://audit.test',
    REEVE_ISSUER: 'http://issuer.test',
    KAFKA_BROKERS: kafka,
    MONGODB_URI: mongodb,
    MONGODB_DATABASE: 'audit_openapi',
    REEVE_VAULT_KEY_FILE: keyFile.path,
  });
  const { app } = createService(config, createLogger('audit', 'silent', process.stdout));
  keyFile.remove();
  const { url, stop } = await listen(createServer(app));
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      what: `${method} ${path.replace('/v1/tenants/{tenantId}/audit/', '')}`,
      operation,
    })),
  );
  await stop();
});

describe('every operation', () => {
  test('that changes one thing heeds If-Match, and no other takes it', () => {
    const takes = ({ parameters }: Operation) => parameters.some(one => one.name === 'If-Match');
    const isChange = (what: string) => !what.startsWith('get ') && (/\{\w+\}/.test(what) || what === 'patch retention');
    // It sends something and changes nothing.
    const isTest = (what: string) => what === 'post sinks/{sinkId}:test';
    expect(operations.filter(({ operation }) => takes(operation)).map(({ what }) => what)).toEqual(
      operations.map(({ what }) => what).filter(what => isChange(what) && !isTest(what)),
    );
  });

  test('says of what type its answer is', () => {
    const typesOf = (what: string) => {
      const { operation } = operations.find(one => one.what === what) ?? {};
      return Object.entries(operation?.responses ?? {}).flatMap(([status, { content = {} }]) =>
        status === 'default' ? [] : [[status, ...Object.keys(content)]],
      );
    };
    expect(typesOf('get export')[0]).toEqual(
      expect.arrayContaining(['200', 'application/x-ndjson', 'application/gzip']),
    );
    expect(typesOf('get export')[0]).not.toContain('application/json');
    expect(typesOf('get evidence-packages/{packageId}/archive')).toEqual([['200', 'application/zip']]);
    expect(typesOf('get /.well-known/reeve-audit-keys')).toEqual([['200', 'application/jwk-set+json']]);
    expect(typesOf('delete sinks/{sinkId}')).toEqual([['204']]);
    expect(typesOf('get sinks')).toEqual([['200', 'application/json']]);
  });

  test('that reads much of the log is limited, and says so', () => {
    const limited = operations.filter(({ operation }) => '429' in operation.responses);
    expect(limited.map(({ what }) => what)).toEqual(['get verify', 'get feed', 'get export', 'post search:rebuild']);
  });
});
