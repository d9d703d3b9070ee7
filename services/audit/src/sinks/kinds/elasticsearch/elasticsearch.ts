// Elasticsearch's _bulk, into a data stream, which takes `create` alone. The id of a document is that of its event, so
// what comes again is a conflict, and that is success:
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
import { z } from 'zod';
import { post, SinkError } from '../delivery.ts';
import { url } from '../settings.ts';
import { defineSinkKind } from '../sink-kind.ts';

const answer = z.object({
  errors: z.boolean(),
  items: z.array(
    z.object({
      create: z.object({ status: z.number(), error: z.object({ type: z.string() }).optional() }),
    }),
  ),
});

/** The name of an exception is kept; any other word of a receiver's is not. */
function reasonOf({ status, error }: { status: number; error?: { type: string } | undefined }): string {
  return error && /^[a-z_]{1,100}$/.test(error.type) ? `${status} ${error.type}` : String(status);
}

export const elasticsearch = defineSinkKind({
  target: z.strictObject({
    kind: z.literal('elasticsearch'),
    url,
    dataStream: z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,200}$/, 'must be the name of a data stream'),
  }),
  credentialIs: 'the API key',
  credential: () => ({ is: 'given' }),
  formatOf: () => 'ecs',
  takes: 'lines',
  assertReachable: (network, to) => network.assertUrl(to.url),

  async deliver({ network }, { target, credential }, { lines }) {
    const body = lines.map(({ id, text }) => `${JSON.stringify({ create: { _id: id } })}\n${text}\n`).join('');
    const headers = { authorization: `ApiKey ${credential ?? ''}`, 'content-type': 'application/x-ndjson' };
    const response = await post(network, new URL(`/${target.dataStream}/_bulk`, target.url).href, { headers, body });
    const parsed = answer.safeParse(await response.json().catch(() => null));
    if (!parsed.success || parsed.data.items.length !== lines.length)
      throw new SinkError('protocol', 'it did not answer as _bulk does');
    // In the order of the lines.
    const results = parsed.data.items.map(({ create }, at) => ({ ...create, id: lines[at]?.id ?? '' }));
    // What may pass is tried again with the rest of its batch, whose other documents then are conflicts.
    const passing = results.find(({ status }) => status === 429 || status >= 500);
    if (passing) throw new SinkError('busy', `it could not take every document: ${passing.status}`);
    const refused = results.filter(({ status }) => status >= 400 && status !== 409);
    if (refused.some(({ status }) => status === 401 || status === 403))
      throw new SinkError('unauthorized', 'the key may not write there');
    return { refused: refused.map(result => ({ id: result.id, reason: reasonOf(result) })) };
  },
});
