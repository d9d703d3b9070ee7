// What an item of the corpus is, and how one is written down: an honest response, and what is different in it.
import type { Encryption } from '../encrypt-assertion.ts';
import { isoTime, type Said } from '../response-xml.ts';
import type { AnswerTo, How, SamlIssuer, Signs } from '../saml-issuer.ts';

/** What is sent: the value of SAMLResponse, or all fields of the form in their order. */
export type SamlAnswer = string | [name: string, value: string][];

/** Whom a response is for; the certificate (PEM) is that for which assertions are encrypted. */
export type SamlTarget = AnswerTo & { id: string; encryptionCertificate?: string | undefined };

/**
 * `holding`: each signature in a Response or an Assertion holds over exactly that, by the provider's key. `astray`: one
 * holds, by the provider's key, but over something else or more. `foreign`: each holds, by a key that nobody trusts.
 * `broken`: one does not hold, or none is there, or nothing can be read.
 */
type SignatureIs = 'holding' | 'astray' | 'foreign' | 'broken';

export type SamlAttack = {
  name: string;
  theme: string;
  /** Why it has to be refused, or accepted. */
  clause: string;
  expected: 'refused' | 'accepted';
  /** The name of the accepted item from which this one differs by the defect alone. */
  control?: string;
  /** What the provider signed. */
  signs: Signs;
  /** What the service provider has to insist on for this item; by default any one signature is enough. */
  requires: Signs;
  signature: SignatureIs;
  /** Of an item that does no harm as long as this value, a NameID or an attribute, is read as a whole. */
  harmlessIfRead?: string;
  response(idp: SamlIssuer, request: SamlTarget): Promise<SamlAnswer>;
};

/** Whom an attacker wants to be. */
export const victim = 'admin@victim.test';

export const both: Signs = { response: true, assertion: true };
export const onlyResponse: Signs = { response: true, assertion: false };
export const onlyAssertion: Signs = { response: false, assertion: true };
export const nothing: Signs = { response: false, assertion: false };

/** The name of the honest response that is signed so. */
export function honest({ response, assertion }: Signs): string {
  if (response && assertion) return 'honest: response and assertion signed';
  return response ? 'honest: response signed' : 'honest: assertion signed';
}

export type Context = {
  idp: SamlIssuer;
  request: SamlTarget;
  /** The time so many seconds from now. */
  at(seconds: number): string;
  /** For the service provider, by algorithms that are named. */
  encryption(algorithms?: Omit<Encryption, 'certificate'>): Encryption;
};

type From<T> = T | ((context: Context) => T);

/** An item as it is written down; what is left out is as in the honest response. */
export type Draft = Pick<SamlAttack, 'name' | 'clause'> &
  Partial<Pick<SamlAttack, 'expected' | 'control' | 'signs' | 'requires' | 'signature' | 'harmlessIfRead'>> & {
    /** What is said, and signed. */
    lies?: From<Partial<Said>>;
    /** What is done to the XML. */
    how?: From<Omit<How, 'signs'>>;
    /** How the XML becomes what is sent; base64 of UTF-8, unless it says otherwise. */
    sent?: (xml: string, context: Context) => SamlAnswer;
  };

/** Completes drafts. One that is refused has the honest response beside it that is signed the same way. */
export const attacks = (theme: string, drafts: readonly Draft[]): SamlAttack[] =>
  drafts.map(draft => {
    const { lies = {}, how = {}, sent = base64, ...rest } = draft;
    const { signs = both, expected = 'refused' } = rest;
    return {
      signature: 'holding',
      requires: nothing,
      ...(expected === 'refused' ? { control: honest(signs) } : {}),
      ...rest,
      theme,
      expected,
      signs,
      async response(idp, request) {
        const context = contextOf(idp, request);
        const xml = await idp.responseXmlFor(request, given(lies, context), {
          unsigned: undefined,
          assertionSigned: undefined,
          finished: undefined,
          encrypts: null,
          signing: {},
          ...given(how, context),
          signs,
        });
        return sent(xml, context);
      },
    };
  });

export const base64 = (xml: string) => Buffer.from(xml, 'utf8').toString('base64');

const given = <T extends object>(value: From<T>, context: Context): T =>
  typeof value === 'function' ? value(context) : value;

function contextOf(idp: SamlIssuer, request: SamlTarget): Context {
  const now = idp.now();
  return {
    idp,
    request,
    at: seconds => isoTime(now + seconds * 1_000),
    encryption(algorithms = {}) {
      const certificate = request.encryptionCertificate;
      if (certificate === undefined) throw new Error('an encrypted assertion needs the target’s encryptionCertificate');
      return { certificate, ...algorithms };
    },
  };
}
