// Every format a log can be exported in. Each is one line per record, and each can be verified.
import { cef } from './cef.ts';
import { csv } from './csv.ts';
import { ecs } from './ecs.ts';
import type { Format } from './entry.ts';
import { hec } from './hec.ts';
import { ndjson } from './ndjson.ts';
import { ocsf } from './ocsf.ts';
import { syslog } from './syslog.ts';

export const formats = { ndjson, ocsf, ecs, cef, syslog, hec, csv } satisfies Record<string, Format> as Record<
  FormatName,
  Format
>;

export type FormatName = 'ndjson' | 'ocsf' | 'ecs' | 'cef' | 'syslog' | 'hec' | 'csv';

/** The format that a line is of; null where it can be read in none. */
export function formatOf(line: string): FormatName | null {
  const names = Object.keys(formats) as FormatName[];
  return names.find(name => line === formats[name].header || canRead(formats[name], line)) ?? null;
}

function canRead({ read }: Format, line: string): boolean {
  try {
    read(line);
    return true;
  } catch {
    return false;
  }
}
