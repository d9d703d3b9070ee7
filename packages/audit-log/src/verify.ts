// Checks a log: that each record hashes to what it says, that each follows its predecessor, that none of a chain is
// missing, doubled or out of order, and that all of it is what the signed statements beside it tell of. Needs nothing
// but the lines and the public keys.
import type { Format, Line } from './formats/entry.ts';
import { Failure, type Finding, findingOf } from './verify/finding.ts';
import { createLog, type LogOptions } from './verify/log.ts';
import { readLine } from './verify/read-line.ts';
import { type Verification, verificationOf } from './verify/verification.ts';

export type VerifyOptions = LogOptions & {
  format: Format;
  /** For what another version of Reeve exported: only the records are verified, not what the other fields say. */
  ignoreFields?: boolean;
};

export type Verifier = ReturnType<typeof createVerifier>;

/** For lines that come one by one. `add` and `end` throw nothing that is wrong with the log: `result` tells. */
export function createVerifier({ format, ignoreFields = false, ...options }: VerifyOptions) {
  const log = createLog(options);
  let line = 0;
  let hasReadGiven = false;
  let finding: Finding | null = null;
  let began: string | null = null;

  function note(error: unknown, at: number): undefined {
    finding ??= findingOf(error, at);
  }

  /** What is wrong with a checkpoint from elsewhere is wrong with none of the lines. */
  async function readGiven() {
    hasReadGiven = true;
    await log.readGiven().catch((error: unknown) => note(error, 0));
  }

  function take(entry: Line, at: number): Promise<void> | undefined {
    if (finding) return undefined;
    if (!hasReadGiven) return readGiven().then(() => take(entry, at));
    try {
      return log.take(entry)?.catch((error: unknown) => note(error, at));
    } catch (error) {
      return note(error, at);
    }
  }

  /**
   * Null for the names of the columns: an export in CSV begins with them, and a stream that was made of exports may.
   */
  function read(text: string): Line | null {
    if (line > 1 || format.header === undefined) return readLine(format, text, { ignoreFields });
    if (text === format.header) return null;
    if (options.of === 'stream') return readLine(format, text, { ignoreFields });
    throw new Failure('unreadable', 'the names of the columns are missing');
  }

  return {
    /**
     * One line, without its end. To be awaited before the next where it returns a promise: a record, of which there
     * are many, is done at once.
     */
    add(text: string): Promise<void> | undefined {
      line += 1;
      if (finding) return undefined;
      try {
        const entry = read(text);
        return entry ? take(entry, line) : undefined;
      } catch (error) {
        return note(error, line);
      }
    },

    /** What a line holds, for who has read it to see whose it is. */
    take,

    /**
     * When there are no more lines. `since` is when a stream began, where that was not the beginning of the log: its
     * chains may then begin in the middle, and one without a record since then may be absent.
     */
    async end(since?: string): Promise<Verification> {
      began = since ?? null;
      if (!hasReadGiven) await readGiven();
      try {
        if (!finding) log.end(since);
      } catch (error) {
        note(error, 0);
      }
      return this.result();
    },

    /** Whether it has found something wrong, after which nothing is looked at. */
    failed: () => finding !== null,

    result: (): Verification =>
      verificationOf(log.verified(), { since: began, fieldsCompared: !ignoreFields, finding }),
  };
}

/**
 * Verifies the lines of one tenant's export or stream in their order. A part of an export (which takes no keys) may
 * begin in the middle of a chain: then the first record of each chain is taken as its beginning, and `first` says so
 * by not being 1. `since` is when a stream began.
 */
export async function verifyLines(
  lines: AsyncIterable<string>,
  { since, ...options }: VerifyOptions & { since?: string | undefined },
): Promise<Verification> {
  const verifier = createVerifier(options);
  for await (const text of lines) {
    const pending = verifier.add(text);
    if (pending) await pending;
    if (verifier.failed()) break;
  }
  return verifier.end(since);
}
