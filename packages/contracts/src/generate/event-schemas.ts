// JSON Schemas of the events, one document per topic, from the zod definitions.
import { z } from 'zod';
import { type EventType, eventTypes } from '../events/catalogue.ts';
import { eventDataSchema } from '../events/event.ts';
import { type TopicName, topics } from '../topics.ts';

export type JsonSchema = { [key: string]: unknown };
export type TopicSchemas = { $schema: string; title: string; $defs: Record<string, JsonSchema> };

export function schemasByTopic(): Map<TopicName, TopicSchemas> {
  const documents = new Map<TopicName, TopicSchemas>();
  for (const type of Object.keys(eventTypes).toSorted() as EventType[]) {
    const { topic } = eventTypes[type];
    const document = documents.get(topic) ?? {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: `${topic}: ${topics[topic].summary}`,
      $defs: {},
    };
    const { $schema: _, ...schema } = z.toJSONSchema(eventDataSchema(type), { io: 'input' });
    document.$defs[type] = schema;
    documents.set(topic, document);
  }
  return documents;
}
