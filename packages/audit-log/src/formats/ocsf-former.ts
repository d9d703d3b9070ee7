// OCSF as it was written before 2026-11-25: without captions, e-mail addresses and user agents. What it exported
// and published stays verifiable.
import { other } from './ocsf-classes.ts';

type Ocsf = Record<string, unknown>;

const added = ['category_name', 'class_name', 'type_name', 'severity', 'status', 'http_request', 'email_addr'];

function without(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

export function formerOcsf(event: Ocsf): Ocsf {
  const { user, actor, entity, activity_id: activity, auth_protocol_id: protocol } = event;
  const former = {
    ...event,
    ...(user === undefined ? {} : { user: without(user, added) }),
    ...(actor === undefined ? {} : { actor: { ...actor, user: without((actor as Ocsf)['user'], added) } }),
    ...(entity === undefined ? {} : { entity: without(entity, ['user']) }),
  };
  // What has no caption in the schema was called by its source then as well.
  const captions = [...(activity === other ? [] : ['activity_name']), ...(protocol === other ? [] : ['auth_protocol'])];
  return without(former, [...added, ...captions]) as Ocsf;
}
