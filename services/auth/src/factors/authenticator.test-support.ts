// An authenticator in software, which also does what none that is honest would: signs for other origins, without
// looking who is there, or with the counter of a copy.
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Page } from '@reeve/testing';
import { isoCBOR } from '@simplewebauthn/server/helpers';

type Said = { challenge: string; origin: string; rpId: string; counter?: number; isVerified?: boolean; type?: string };

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();
const text = (bytes: Uint8Array | Buffer) => Buffer.from(bytes).toString('base64url');
const flag = { present: 1, verified: 4, attested: 64 };

type Options = { challenge: string; allowCredentials?: { id: string }[]; excludeCredentials?: { id: string }[] };

/** What a page asks a browser to sign. */
export function optionsOn({ text: html }: Page): Options {
  const [, escaped = 'null'] = /data-options="([^"]*)"/.exec(html) ?? [];
  return JSON.parse(escaped.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')) as Options;
}

export function newAuthenticator() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(16);
  const coseKey = isoCBOR.encode(
    new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
      [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
    ]),
  );

  function dataOf({ rpId, counter = 0, isVerified = true }: Said, attested = Buffer.alloc(0)): Buffer {
    const flags = flag.present | (isVerified ? flag.verified : 0) | (attested.length > 0 ? flag.attested : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested]);
  }

  const clientDataOf = (type: string, { challenge, origin, type: lie }: Said) =>
    Buffer.from(JSON.stringify({ type: lie ?? type, challenge, origin, crossOrigin: false }));

  const credential = (response: object) =>
    JSON.stringify({ id: text(id), rawId: text(id), type: 'public-key', response });

  return {
    id: text(id),

    registers(said: Said): string {
      const length = Buffer.from([0, id.length]);
      const authData = dataOf(said, Buffer.concat([Buffer.alloc(16), length, id, Buffer.from(coseKey)]));
      const attestationObject = isoCBOR.encode(
        new Map<string, unknown>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', new Uint8Array(authData)],
        ]) as never,
      );
      return credential({
        clientDataJSON: text(clientDataOf('webauthn.create', said)),
        attestationObject: text(attestationObject),
        transports: ['internal'],
      });
    },

    asserts(said: Said): string {
      const clientData = clientDataOf('webauthn.get', said);
      const authenticatorData = dataOf(said);
      const signature = createSign('sha256')
        .update(Buffer.concat([authenticatorData, sha256(clientData)]))
        .sign(privateKey);
      return credential({
        clientDataJSON: text(clientData),
        authenticatorData: text(authenticatorData),
        signature: text(signature),
        userHandle: null,
      });
    },
  };
}
