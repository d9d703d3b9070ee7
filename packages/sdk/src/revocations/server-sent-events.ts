// Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
// Written here: eventsource-parser, which is the library for it, has an export condition `source`, by which this
// repository, whose own packages have it too, would run its TypeScript.

export type ServerSentEvent = { event: string; data: string };

/** Rejects for an event that has more than so many characters. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    // A line that ends in CR may go on with LF, in the next chunk.
    const events = text.replaceAll(/\r\n|\r(?!$)/g, '\n').split('\n\n');
    text = events.pop() ?? '';
    if (text.length > longest) throw new Error(`an event has more than ${longest} characters`);
    for (const one of events) yield* eventOf(one);
  }
}

/** None of a block that holds nothing but comments. */
function eventOf(block: string): ServerSentEvent[] {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
  }
  return data.length === 0 ? [] : [{ event, data: data.join('\n') }];
}
