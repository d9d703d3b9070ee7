// The sentences of the consent page, which are also what is recorded.
import type { Connector } from '../catalogue/catalogue.ts';

export type ConsentText = { who: string; able: { scope: string; meaning: string }[]; unable: string[]; until: string };

export function consentText({
  connector: { name, publisher, scopes: offered, cannot },
  tenant,
  person,
  scopes,
  until,
}: {
  connector: Connector;
  tenant: string;
  person: string;
  scopes: readonly string[];
  until: Date;
}): ConsentText {
  const day = until.toISOString().slice(0, 10);
  return {
    who: `${name} by ${publisher} asks for access on behalf of ${person} in ${tenant}.`,
    able: offered.filter(({ id }) => scopes.includes(id)).map(({ id, meaning }) => ({ scope: id, meaning })),
    unable: cannot.map(what => `It will not be able to: ${what}.`),
    until: `The access ends on ${day} at the latest. You or an administrator can end it at any time.`,
  };
}

export const asOneText = ({ who, able, unable, until }: ConsentText): string =>
  [who, ...able.map(({ meaning }) => `It will be able to: ${meaning}.`), ...unable, until].join('\n');
