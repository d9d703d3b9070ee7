// SASL OAUTHBEARER (RFC 7628) as kafkajs asks for it. Its own takes a broker's refusal of the token for a success,
// and then finds the connection closed.
import kafkajs, { type Authenticator, type Mechanism } from 'kafkajs';

const separator = '\u0001';
const sizeBytes = 4;

/** Both ways it is bytes with their number before them. */
const sized = (text: string) => {
  const bytes = Buffer.from(text);
  const size = Buffer.alloc(sizeBytes);
  size.writeInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
};

/** `token` is asked for each connection, and again before a broker ends the session of one. */
export function oauthBearer(token: () => Promise<string>): Mechanism {
  const authenticationProvider: Mechanism['authenticationProvider'] = ({ saslAuthenticate }): Authenticator => {
    const send = (text: string) =>
      saslAuthenticate({
        request: { encode: () => sized(text) },
        response: { decode: raw => raw.subarray(sizeBytes), parse: String },
      });

    /** RFC 7628 §3.2.3: after this the broker fails the login and ends the connection, which nobody could use. */
    async function fail(why: string): Promise<never> {
      await send(separator).catch(() => undefined);
      throw new kafkajs.KafkaJSError(`SASL OAUTHBEARER: ${why}`, { retriable: false });
    }

    async function authenticate(): Promise<void> {
      const value = await token().catch((error: unknown) => fail(`there is no token: ${messageOf(error)}`));
      const refusal = await send(`n,,${separator}auth=Bearer ${value}${separator}${separator}`);
      if (refusal) await fail(`the broker refused the token: ${refusal}`);
    }

    return { authenticate };
  };
  return { mechanism: 'oauthbearer', authenticationProvider };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
