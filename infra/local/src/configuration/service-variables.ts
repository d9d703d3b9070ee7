// The environment of each service, as the schema in its config.ts says it. That file alone is imported: nothing starts.
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '../paths.ts';
import { type ServiceName, serviceNames } from '../system.ts';

export type ServiceVariable = {
  name: string;
  isRequired: boolean;
  /** Null where there is none. */
  default: string | null;
  /** The values that it may have, where these are few. */
  oneOf: readonly string[];
  is: string;
};

const module = z.object({ configSchema: z.instanceof(z.ZodType) });
const defaultValue = z.union([z.string(), z.number(), z.array(z.string())]).optional();
const described = z.object({
  required: z.array(z.string()).default([]),
  properties: z.record(
    z.string(),
    z.object({
      description: z.string(),
      default: defaultValue,
      enum: z.array(z.string()).default([]),
      minLength: z.number().default(0),
    }),
  ),
});

/** Throws for a variable without a description. */
export function variablesOf(schema: z.ZodType): ServiceVariable[] {
  const { required, properties } = described.parse(z.toJSONSchema(schema, { io: 'input' }));
  return Object.entries(properties).map(([name, { description, default: value, enum: oneOf, minLength }]) => ({
    name,
    isRequired: required.includes(name),
    default: String(value ?? '') || null,
    oneOf,
    is: minLength > 1 ? `${description}, ${minLength} characters or more` : description,
  }));
}

export type Configurations = ReadonlyMap<ServiceName, ServiceVariable[]>;

export async function readConfigSchema(name: ServiceName): Promise<z.ZodType> {
  return module.parse(await import(join(repositoryRoot, 'services', name, 'src/config.ts'))).configSchema;
}

export async function readConfigurations(): Promise<Configurations> {
  const read = async (name: ServiceName) => [name, variablesOf(await readConfigSchema(name))] as const;
  return new Map(await Promise.all(serviceNames.map(read)));
}
