// Only hashes of client secrets are kept, and the provider compares what a client presents with what is kept. So what
// is presented is replaced on its way in: by the hash, when it is a secret of that client, and by something that is no
// hash of any when it is not.
import type { IncomingMessage } from 'node:http';
import { platformTenantId } from '@reeve/contracts';
import type { Request } from 'express';
import type { WrongGuesses } from '../abuse/wrong-guesses.ts';
import { type ApplicationDirectory, secretAmong } from '../applications/application-directory.ts';
import type { NoteSecretUse } from '../applications/secret-uses.ts';
import { inPlaceOf } from './in-place.ts';

const wrong = 'not-a-secret-of-this-client';

export type SecretParts = {
  applications: ApplicationDirectory;
  noteSecretUse: NoteSecretUse;
  wrongGuesses: WrongGuesses;
};

type Presented = { clientId: string; secret: string };

/**
 * The request again, with the hash of its client's secret in place of the secret, and `body` as its body. Throws
 * `rate_limited` for who has guessed too often.
 */
export async function withHashedSecret(
  request: Request,
  body: URLSearchParams,
  parts: SecretParts,
): Promise<IncomingMessage> {
  const headers = { ...request.headers };
  const presented = basicOf(headers.authorization) ?? postedIn(body);
  if (presented) {
    const hash = await hashFor(request, presented, parts);
    if (headers.authorization === undefined) body.set('client_secret', hash);
    else headers.authorization = `Basic ${encoded(presented.clientId, hash)}`;
  }
  return inPlaceOf(request, { headers, body: Buffer.from(body.toString()) });
}

async function hashFor(
  request: Request,
  { clientId, secret }: Presented,
  { applications, noteSecretUse, wrongGuesses }: SecretParts,
): Promise<string> {
  const application = await applications.findNow(clientId);
  // Of those that are not there all are one: nobody is told that they are not, and none takes room of its own.
  const about = application?.id ?? '';
  await wrongGuesses.assertMayGuess('client_secret', request, about);
  const used = application && secretAmong(application, secret);
  if (!used) {
    await wrongGuesses.wasWrong('client_secret', request, about);
    return wrong;
  }
  noteSecretUse(application.tenantId ?? platformTenantId, clientId, used);
  return application.secrets[0] ?? wrong;
}

const encoded = (clientId: string, secret: string) =>
  Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64');

/** RFC 6749 §2.3.1. What is not of that form is left to the provider to refuse. */
function basicOf(header: string | undefined): Presented | null {
  const text = /^Basic ([\w+/]+={0,2})$/i.exec(header ?? '')?.[1];
  if (text === undefined) return null;
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(text, 'base64').toString('utf8')) ?? [];
  if (id === undefined || secret === undefined) return null;
  try {
    const decoded = (part: string) => decodeURIComponent(part.replaceAll('+', ' '));
    return { clientId: decoded(id), secret: decoded(secret) };
  } catch {
    return null;
  }
}

/** Something that is there twice is left to the provider to refuse. */
function postedIn(body: URLSearchParams): Presented | null {
  const [clientId, ...moreIds] = body.getAll('client_id');
  const [secret, ...moreSecrets] = body.getAll('client_secret');
  if (clientId === undefined || secret === undefined || moreIds.length + moreSecrets.length > 0) return null;
  return { clientId, secret };
}
