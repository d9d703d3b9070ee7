// JSON Schemas of the events: one document per topic, and one for the head that all of them refer to. From the zod
// definitions that readers parse with.
import { z } from 'zod';
import { type EventType, eventTypes } from '../events/catalogue.ts';
import { headSchema } from '../events/head.ts';
import { type TargetKind, targetIds, targetSchema } from '../events/targets.ts';
import { type TopicName, topics } from '../topics.ts';

export type JsonSchema = { [key: string]: unknown };
export type TopicSchemas = { $schema: string; title: string; $defs: Record<string, JsonSchema> };

/** By the name of their file. */
export type SchemaFiles = Map<string, JsonSchema>;

const dialect = 'https://json-schema.org/draft/2020-12/schema';
const headFile = 'head.json';
export const fileOf = (topic: TopicName) => `${topic}.json`;

export function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

function eventSchema(type: EventType): JsonSchema {
  const { target, details, reasons } = eventTypes[type];
  const isEmpty = Object.keys((details as z.ZodObject).shape).length === 0;
  return {
    ...(reasons.length > 0 ? { description: `reason.code: ${reasons.join(', ')}` } : {}),
    allOf: [{ $ref: headFile }],
    properties: {
      target: { $ref: `${headFile}#/$defs/${target}` },
      details: isEmpty ? { type: 'object' } : schemaOf(details),
    },
    required: ['details'],
  };
}

export function schemasByTopic(): Map<TopicName, TopicSchemas> {
  const documents = new Map<TopicName, TopicSchemas>();
  for (const type of Object.keys(eventTypes).toSorted() as EventType[]) {
    const { topic } = eventTypes[type];
    const title = `${topic}: ${topics[topic].summary}`;
    const document = documents.get(topic) ?? { $schema: dialect, title, $defs: {} };
    document.$defs[type] = eventSchema(type);
    documents.set(topic, document);
  }
  return documents;
}

export function schemaFiles(): SchemaFiles {
  const targets = Object.keys(targetIds) as TargetKind[];
  const head = {
    $schema: dialect,
    title: 'What every identity event begins with, and what each can be about',
    ...schemaOf(headSchema),
    $defs: Object.fromEntries(targets.map(kind => [kind, schemaOf(targetSchema(kind))])),
  };
  return new Map<string, JsonSchema>([
    [headFile, head],
    ...[...schemasByTopic()].map(([topic, document]) => [fileOf(topic), document] as const),
  ]);
}
