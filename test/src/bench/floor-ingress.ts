// The floor of webhook acceptance: the same work with the bare libraries. Express, HMAC over the raw body, one produce
// with acks from all replicas per request, then 202. No store, so no de-duplication and no log; no tenants, no audit
// event, no trace.
import { createHmac, timingSafeEqual } from 'node:crypto';
import express from 'express';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const { PORT = '0', KAFKA_BROKERS = '', SECRET = '', TOPIC = '' } = process.env;
const key = Buffer.from(SECRET.replace('whsec_', ''), 'base64');
const kafka = new Kafka({ brokers: [KAFKA_BROKERS], clientId: 'floor', logLevel: logLevel.NOTHING });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();

const app = express();
app.post('/hook', express.raw({ type: () => true, limit: '1mb' }), async (request, response) => {
  const body = request.body as Buffer;
  const id = request.get('webhook-id') ?? '';
  const expected = createHmac('sha256', key)
    .update(`${id}.${request.get('webhook-timestamp')}.`)
    .update(body)
    .digest();
  const given = Buffer.from(request.get('webhook-signature')?.slice('v1,'.length) ?? '', 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return void response.status(401).end();
  await producer.send({ topic: TOPIC, acks: -1, messages: [{ key: id, value: body }] });
  response.status(202).json({ id });
});
app.listen(Number(PORT));
