import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';
import { expect, test } from '@jest/globals';
import { asyncApiDocument } from './asyncapi.ts';
import { schemasByTopic } from './event-schemas.ts';

const docs = join(dirname(fileURLToPath(import.meta.url)), '../../../../docs');

test('the document is valid AsyncAPI 3, what it refers to is there, and it has a message for every event type', async () => {
  const source = join(docs, 'asyncapi.json');
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()), { source });
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
  const types = [...schemasByTopic().values()].flatMap(({ $defs }) => Object.keys($defs));
  const named = document
    ?.allMessages()
    .all()
    .map(message => message.name());
  expect(new Set(named)).toEqual(new Set([...types, 'webhook.payload', 'audit.record', 'revocation']));
});
