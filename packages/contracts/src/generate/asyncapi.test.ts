import { Parser } from '@asyncapi/parser';
import { expect, test } from '@jest/globals';
import { asyncApiDocument } from './asyncapi.ts';
import { schemasByTopic } from './event-schemas.ts';

test('the document is valid AsyncAPI 3 and has a message for every event type', async () => {
  const schemas = schemasByTopic();
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument(schemas)));
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
  const types = [...schemas.values()].flatMap(({ $defs }) => Object.keys($defs));
  const named = document
    ?.allMessages()
    .all()
    .map(message => message.name());
  expect(new Set(named)).toEqual(new Set([...types, 'webhook.payload', 'audit.record']));
});
