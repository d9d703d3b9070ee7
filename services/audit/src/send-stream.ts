// An answer that is too large to be made at once: it is made as fast as it is read.
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/** Resolves when all of it was sent, or its reader has gone. Where it cannot be made, the answer breaks off. */
export async function sendStream(
  response: Response,
  content: AsyncIterable<string | Uint8Array>,
  through: readonly Transform[] = [],
): Promise<void> {
  try {
    await pipeline([Readable.from(content, { objectMode: false }), ...through, response]);
  } catch (error) {
    const isReaderGone = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isReaderGone) throw error;
  }
}

const portionLength = 32_768;

/** Each line with its end, many at a time: a stream costs by the piece. */
export async function* inPortions(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let portion = '';
  for await (const line of lines) {
    portion += `${line}\n`;
    if (portion.length < portionLength) continue;
    yield portion;
    portion = '';
  }
  if (portion !== '') yield portion;
}
