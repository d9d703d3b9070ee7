// `reeve vault status` and `reeve vault rewrap`: which keys the data keys of services are under, and wrapping them anew
// by the one that wraps now, portion by portion.
import { Command, Option } from 'commander';
import { z } from 'zod';
import { type Credentials, complain, connect, credentialOptions } from './api.ts';

type Options = Credentials & { service: string[] };
type RewrapOptions = Options & { after?: string; everything?: true };
type Place = z.infer<typeof place>;

const place = z.object({ tenantId: z.string(), secretClass: z.string() });
const keyName = z.object({ kind: z.string(), keyId: z.string() });
const counted = z.object({
  newest: keyName,
  items: z.array(keyName.extend({ dataKeys: z.number() })),
  next: place.nullable(),
});
const rewrapped = z.object({
  looked: z.number(),
  rewrapped: z.number(),
  failed: z.array(place.extend({ code: z.string() })),
  next: place.nullable(),
});

const countPath = '/v1/vault/data-keys:count';
const rewrapPath = '/v1/vault/data-keys:rewrap';

export function vaultStatusCommand(): Command {
  return command('status', 'Say how many data keys are under which key')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nA key with no data keys is not needed any more, but for backups (docs/keys.md).')
    .action(async ({ service: services, json, ...credentials }: Options & { json?: true }) => {
      const found = [];
      // What one of them does not say, the others still do.
      for (const service of services)
        try {
          found.push({ service, ...(await countIn(service, credentials)) });
        } catch (error) {
          complain(error, service);
        }
      if (json) console.log(JSON.stringify({ services: found }, null, 2));
      else if (found.length > 0) console.log(found.flatMap(described).join('\n'));
    });
}

export function rewrapCommand(): Command {
  return command('rewrap', 'Have services wrap their data keys anew by the key that wraps now')
    .option(
      '--everything',
      'also those that are under that key: after a rotation in AWS KMS, whose versions have no names',
    )
    .option('--after <tenant/class>', 'go on where an earlier run of the same service stopped')
    .addHelpText('after', '\nEnds with 0; with 1 where data keys do not open; with 2 where it could not be finished.')
    .action(async ({ service: services, after, everything, ...credentials }: RewrapOptions) => {
      let at: { service: string; next: Place | null } = { service: '', next: null };
      try {
        if (after !== undefined && services.length > 1) throw new Error('--after is for one --service');
        for (const service of services) {
          at = { service, next: after === undefined ? null : placeOf(after) };
          const api = await connect({ ...credentials, reason: 'reeve vault rewrap' }, service);
          let [looked, anew] = [0, 0];
          do {
            const body = { everything: everything === true, ...(at.next ? { after: at.next } : {}) };
            const done = rewrapped.parse(await api.post(rewrapPath, body));
            looked += done.looked;
            anew += done.rewrapped;
            at.next = done.next;
            for (const one of done.failed) {
              console.error(`reeve: ${service}: ${one.tenantId}/${one.secretClass} was left as it is: ${one.code}`);
              process.exitCode = 1;
            }
            console.log(`${service}: ${looked} data keys looked at, ${anew} wrapped anew${nextIn(done.next)}`);
          } while (at.next);
        }
      } catch (error) {
        complain(error);
        if (at.next) console.error(`reeve: go on with --service ${at.service} --after ${textOf(at.next)}`);
      }
    });
}

function command(name: string, description: string): Command {
  const made = new Command(name).showHelpAfterError().description(description);
  made.addOption(
    new Option('--service <url...>', 'auth, connector-consent, webhook-ingress or audit').makeOptionMandatory(),
  );
  for (const option of credentialOptions({ client: 'a client with the scope platform:admin' })) made.addOption(option);
  return made;
}

const textOf = ({ tenantId, secretClass }: Place) => `${tenantId}/${secretClass}`;
const nextIn = (next: Place | null) => (next ? `; next ${textOf(next)}` : '');

function placeOf(text: string): Place {
  const end = text.indexOf('/');
  if (end < 1) throw new Error('--after has to be <tenant>/<class>');
  return { tenantId: text.slice(0, end), secretClass: text.slice(end + 1) };
}

type Key = { kind: string; keyId: string };
type Counts = { newest: Key; items: (Key & { dataKeys: number })[] };

/** The portions of one service together. */
async function countIn(service: string, credentials: Credentials): Promise<Counts> {
  const api = await connect({ ...credentials, reason: 'reeve vault status' }, service);
  const counts = new Map<string, Key & { dataKeys: number }>();
  let next: Place | null = null;
  for (;;) {
    const portion: z.infer<typeof counted> = counted.parse(
      await api.post(countPath, { limit: 1_000, ...(next ? { after: next } : {}) }),
    );
    for (const { kind, keyId, dataKeys } of portion.items) {
      const before = counts.get(`${kind} ${keyId}`)?.dataKeys ?? 0;
      counts.set(`${kind} ${keyId}`, { kind, keyId, dataKeys: before + dataKeys });
    }
    next = portion.next;
    if (!next) return { newest: portion.newest, items: [...counts.values()] };
  }
}

function described({ service, newest, items }: Counts & { service: string }): string[] {
  const isNewest = ({ kind, keyId }: Key) => kind === newest.kind && keyId === newest.keyId;
  const all = items.some(isNewest) ? items : [{ ...newest, dataKeys: 0 }, ...items];
  return [
    service,
    ...all.map(key => `  ${key.kind}  ${key.keyId}  ${key.dataKeys} data keys${isNewest(key) ? '  wraps' : ''}`),
  ];
}
