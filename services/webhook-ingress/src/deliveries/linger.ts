// A request that is answered before its body has come is read on for a while, and what comes is thrown away. Closed at
// once, the connection would be reset under the sender's last bytes, and the reset can overtake the answer that says
// why.
import type { IncomingMessage, ServerResponse } from 'node:http';

const lingerMs = 2_000;
/**
 * Cheaper for us than the same bytes as bodies that we have to verify. Enough for a sender that reads no answer before
 * it has sent all.
 */
const lingerBytes = 16 * 1_048_576;

/**
 * Answers, and reads on until the body has come; at most so long and so much. Then nothing more is read, and the
 * connection ends when the time is over.
 */
export function answerLingering(request: IncomingMessage, response: ServerResponse, answer: () => void): void {
  const { socket } = request;
  const isLast = !response.shouldKeepAlive;
  // Otherwise Node closes the connection as soon as the answer is out.
  response.shouldKeepAlive = true;
  answer();
  let left = lingerBytes;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.pause();
  });
  request.once('end', () => {
    if (isLast) socket.destroySoon();
  });
  request.once('close', () => clearTimeout(timer));
}
