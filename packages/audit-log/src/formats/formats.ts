// Every format a log can be exported in. Each is one line per record, and each can be verified.
import type { Format } from './entry.ts';
import { ndjson } from './ndjson.ts';
import { ocsf } from './ocsf.ts';

export const formats = { ndjson, ocsf } as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;
