// The kinds of sinks there are. What a kind is called, and what is special to it, is said in its folder alone.
import { z } from 'zod';
import { elasticsearch } from './elasticsearch/elasticsearch.ts';
import { https } from './https/https.ts';
import { kafka } from './kafka/kafka.ts';
import { s3 } from './s3/s3.ts';
import type { SinkKind } from './sink-kind.ts';
import { splunkHec } from './splunk-hec/splunk-hec.ts';
import { syslogTls } from './syslog-tls/syslog-tls.ts';

const kinds = [https, splunkHec, elasticsearch, syslogTls, s3, kafka] as const;

type Settings = (typeof kinds)[number]['target'];

export const target = z.discriminatedUnion('kind', kinds.map(kind => kind.target) as [Settings, ...Settings[]]);

export type Target = z.infer<typeof target>;

const byName = new Map(kinds.map(kind => [kind.target.shape.kind.value, kind]));

export function kindOf({ kind }: Target): SinkKind<Settings, Target> {
  const found = byName.get(kind);
  if (!found) throw new TypeError(`${kind} is no kind of sink`);
  // It takes the settings that its own schema let through, and no target of this name came by another.
  return found as SinkKind<Settings, Target>;
}

/** For the documentation of the API. */
export const whatCredentialsAre = kinds
  .flatMap(kind => (kind.credentialIs === null ? [] : [`${kind.target.shape.kind.value}: ${kind.credentialIs}`]))
  .join('; ');
