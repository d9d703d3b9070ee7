// The lines of a file, ended by LF (or CRLF) and by nothing else that some reader takes for the end of one, in strict
// UTF-8.

/** In UTF-16 code units; longer than any record can be. */
const longestLine = 16_777_216;

/** Throws a TypeError for bytes that are not UTF-8, and for a line that is too long. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let parts: string[] = [];
  let length = 0;
  const keep = (text: string) => {
    parts.push(text);
    length += text.length;
    if (length > longestLine) throw new TypeError(`a line is longer than ${longestLine} characters`);
  };
  const take = (text: string) => {
    keep(text);
    const line = parts.join('');
    parts = [];
    length = 0;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  };
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      yield take(text.slice(from, end));
      from = end + 1;
    }
    keep(text.slice(from));
  }
  const rest = take(decoder.decode());
  if (rest !== '') yield rest;
}
