// What an identity provider says, without the HTTP: it has a key, knows who is signed in, and makes the messages. It is
// honest until the test asks for something else.
import { randomBytes } from 'node:crypto';
import { type Encryption, encryptAssertion } from './encrypt-assertion.ts';
import { newSamlKey, type SamlKey } from './keys.ts';
import {
  byEachBinding,
  type LogoutByBinding,
  logoutRequestXml,
  logoutResponseXml,
  type SaidAtLogout,
} from './logout-xml.ts';
import { nameIdFormats, signatureMethods, statuses } from './names.ts';
import { honestly, isoTime, type Person, responseXml, type Said } from './response-xml.ts';
import { type Signing, signElement } from './sign-xml.ts';
import { oneOf, parseXml, writeXml } from './xml.ts';

/** What a service provider asked, as far as an answer needs it. An `id` of null is a response that nobody asked for. */
export type AnswerTo = { id: string | null; issuer: string; acsUrl: string };

export type Signs = { response: boolean; assertion: boolean };

/** What a bend may need beside the XML. */
type BendTools = {
  said: Said;
  /** This provider's key, and one that nobody trusts. */
  key: SamlKey;
  foreignKey: SamlKey;
  /** Signs the element with this ID, by this provider's key if no other is given. */
  sign(xml: string, id: string, signing?: Partial<Signing>): string;
};

export type Bend = (xml: string, tools: BendTools) => string | Promise<string>;

/** How a response is made from what it says. */
export type How = {
  signs?: Signs | undefined;
  signing?: Partial<Signing> | undefined;
  encrypts?: Encryption | null | undefined;
  /** Before anything is signed: the signatures hold over what this makes. */
  unsigned?: Bend | undefined;
  /** After the assertion is signed, before it is encrypted and the response signed. */
  assertionSigned?: Bend | undefined;
  /** The last word: no signature covers what this changes. */
  finished?: Bend | undefined;
};

const newMessageId = () => `_${randomBytes(20).toString('hex')}`;

export type SamlIssuer = Awaited<ReturnType<typeof createSamlIssuer>>;

export async function createSamlIssuer({
  entityId,
  keyType = 'rsa',
  now = Date.now,
  newId = newMessageId,
}: {
  entityId: string;
  keyType?: 'rsa' | 'ec';
  /** Milliseconds since 1970. */
  now?: () => number;
  newId?: () => string;
}) {
  let keys = [await newSamlKey({ type: keyType })];
  const foreignKey = await newSamlKey({ commonName: 'other-idp.test', type: keyType });
  const everybody: Person = { nameId: 'somebody', nameIdFormat: nameIdFormats.persistent, attributes: {} };
  let comes = (): Person => everybody;
  let refusal: Partial<Said> = {};
  let usual: How = { signs: { response: true, assertion: true } };

  const currentKey = () => keys[0] as SamlKey;

  function sign(xml: string, id: string, signing: Partial<Signing> = {}): string {
    const { key = currentKey() } = signing;
    return signElement(xml, id, { ...defaultsFor(), key, ...signing });
  }

  const defaultsFor = (): Partial<Signing> => (keyType === 'ec' ? { method: signatureMethods.ecdsaSha256 } : {});

  /** The response to `request` as XML. */
  async function responseXmlFor(request: AnswerTo, lies: Partial<Said> = {}, how: How = {}): Promise<string> {
    const said = { ...honestly(request, comes(), { entityId, now: now(), newId }), ...refusal, ...lies };
    const { signs, signing, encrypts, unsigned, assertionSigned, finished } = { ...usual, ...how };
    const tools: BendTools = {
      said,
      key: currentKey(),
      foreignKey,
      sign: (xml, id, more) => sign(xml, id, { ...signing, ...more }),
    };
    const bent = async (xml: string, bend: Bend | undefined) => (bend ? bend(xml, tools) : xml);
    const hasAssertion = !said.without.includes('Assertion');
    let xml = await bent(responseXml(said), unsigned);
    if (signs?.assertion && hasAssertion) xml = sign(xml, said.assertionId, signing);
    xml = await bent(xml, assertionSigned);
    if (encrypts && hasAssertion) xml = await withAssertionEncrypted(xml, encrypts);
    if (signs?.response) xml = sign(xml, said.responseId, signing);
    return bent(xml, finished);
  }

  const logoutSaid = (destination: string, lies: Partial<SaidAtLogout>): SaidAtLogout => ({
    id: newId(),
    version: '2.0',
    issuer: entityId,
    issueInstant: isoTime(now()),
    destination,
    notOnOrAfter: isoTime(now() + 5 * 60_000),
    ...lies,
  });

  return {
    entityId,
    now,
    newId,
    foreignKey,
    /** All that metadata lists, the current one first. */
    keys: (): readonly SamlKey[] => keys,
    key: currentKey,
    /** PEM. */
    certificate: () => currentKey().certificate,
    sign,
    responseXmlFor,

    /** The value of SAMLResponse: an answer to `request`, which differs from an honest one by what is given. */
    responseFor: async (request: AnswerTo, lies: Partial<Said> = {}, how: How = {}): Promise<string> =>
      base64(await responseXmlFor(request, lies, how)),

    /** From now on whoever comes is this person, or the next one; what is left out is as it is for everybody. */
    is(who: Partial<Person> | (() => Partial<Person>)) {
      comes = () => ({ ...everybody, ...(typeof who === 'function' ? who() : who) });
      refusal = {};
    },
    /** From now on everybody is refused. */
    refuses(status: string = statuses.responder, subStatus: string | null = statuses.authnFailed) {
      refusal = { status, subStatus, without: ['Assertion'] };
    },
    /** The certificate of the new key may be over already. */
    async changesItsKeys({ keepOld = false, endedAt }: { keepOld?: boolean; endedAt?: Date } = {}) {
      keys = [await newSamlKey({ type: keyType, endedAt }), ...(keepOld ? keys : [])];
    },
    signs(signs: Signs) {
      usual = { ...usual, signs };
    },
    /** From now on assertions are encrypted for who has this certificate (PEM). */
    encrypts(certificate: string | null, algorithms: Omit<Encryption, 'certificate'> = {}) {
      usual = { ...usual, encrypts: certificate === null ? null : { certificate, ...algorithms } };
    },
    /** From now on every response is changed: the finished one, or at the stages that are named. */
    bends(bend: Bend | Pick<How, 'unsigned' | 'assertionSigned' | 'finished'>) {
      const { signs = { response: true, assertion: true }, encrypts = null } = usual;
      usual = { signs, encrypts, ...(typeof bend === 'function' ? { finished: bend } : bend) };
    },

    /** Ends the session of somebody at the service provider; `signedBy` null leaves it unsigned. */
    logoutRequest({
      nameId = comes().nameId,
      nameIdFormat = comes().nameIdFormat,
      sessionIndex,
      destination,
      relayState,
      signedBy = currentKey(),
      method,
      lies = {},
    }: {
      nameId?: string;
      nameIdFormat?: string | null;
      sessionIndex?: string | readonly string[];
      destination: string;
      relayState?: string;
      signedBy?: SamlKey | null;
      method?: string;
      lies?: Partial<SaidAtLogout>;
    }): LogoutByBinding {
      const said = logoutSaid(destination, lies);
      const sessionIndexes = sessionIndex === undefined ? [] : [sessionIndex].flat();
      const xml = logoutRequestXml(said, { nameId, nameIdFormat, sessionIndexes });
      return byEachBinding(
        { name: 'SAMLRequest', xml, id: said.id, relayState },
        destination,
        signedBy && { ...defaultsFor(), key: signedBy, ...(method === undefined ? {} : { method }) },
      );
    },

    /** Says that the session which a service provider asked to end is over here. */
    logoutResponse({
      inResponseTo,
      destination,
      relayState,
      status = statuses.success,
      signedBy = currentKey(),
      lies = {},
    }: {
      inResponseTo: string | null;
      destination: string;
      relayState?: string | undefined;
      status?: string;
      signedBy?: SamlKey | null;
      lies?: Partial<SaidAtLogout>;
    }): LogoutByBinding {
      const said = logoutSaid(destination, lies);
      const xml = logoutResponseXml(said, inResponseTo, status);
      return byEachBinding(
        { name: 'SAMLResponse', xml, id: said.id, relayState },
        destination,
        signedBy && { ...defaultsFor(), key: signedBy },
      );
    },
  };
}

const base64 = (xml: string) => Buffer.from(xml, 'utf8').toString('base64');

async function withAssertionEncrypted(xml: string, encryption: Encryption): Promise<string> {
  const document = parseXml(xml);
  const assertion = oneOf(document, 'Assertion');
  const encrypted = await encryptAssertion(writeXml(assertion), encryption);
  const replacement = document.importNode(parseXml(encrypted).documentElement, true);
  assertion.parentNode?.replaceChild(replacement, assertion);
  return writeXml(document);
}
