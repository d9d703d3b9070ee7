// What every rehearsal has: a system that is its own to harm, and the variables of docs/runbooks/README.md.
import { createServer } from 'node:http';
import type { Credentials } from '@reeve/local/system';
import { listen } from '@reeve/testing/listen';

/** Of whoever follows a runbook, in the order of its README. */
export const variablesOf = ({ issuer, clientId, clientSecret, urls, kafka, mongodb }: Credentials) => ({
  REEVE_ISSUER: issuer,
  REEVE_CLIENT_ID: clientId,
  REEVE_CLIENT_SECRET: clientSecret,
  REEVE_PROVISIONING_URL: urls.provisioning,
  REEVE_CONNECTOR_CONSENT_URL: urls.connectorConsent,
  REEVE_WEBHOOK_INGRESS_URL: urls.webhookIngress,
  REEVE_AUDIT_URL: urls.audit,
  KAFKA_BROKERS: kafka,
  MONGODB_URI: mongodb,
});

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Of an audit sink: answers every request with a status. */
export async function startReceiver() {
  let answers = 200;
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      if (answers < 300) taken += 1;
      response.writeHead(answers).end();
    });
  });
  const { url, stop } = await listen(server);
  return {
    url,
    /** Requests that it has taken. */
    taken: () => taken,
    answers(status: number) {
      answers = status;
    },
    stop,
  };
}
