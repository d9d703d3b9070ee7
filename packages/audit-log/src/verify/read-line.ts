// A line of a file, as what it holds. What else it shows has to follow from that.
import { parseJson } from '@reeve/contracts';
import { type Format, type Line, saysWhatItHolds } from '../formats/entry.ts';
import { Failure } from './finding.ts';

export function readLine(format: Format, text: string, { ignoreFields }: { ignoreFields: boolean }): Line {
  let line: Line;
  try {
    line = format.read(text);
    // Otherwise the comparison sees it.
    if (ignoreFields && format.isJson) parseJson(text);
  } catch (error) {
    throw new Failure('unreadable', whyUnreadable(error));
  }
  if (!ignoreFields && !says(format, text, line))
    throw new Failure('fields_differ', 'its fields are not what this version writes of the record that it holds');
  return line;
}

function whyUnreadable(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is no JSON, or not all of it';
  return error instanceof Error ? error.message : 'it is no record';
}

function says(format: Format, text: string, line: Line): boolean {
  try {
    return saysWhatItHolds(format, text, line);
  } catch {
    // A record with members of another type than Reeve writes cannot be written in this format.
    return false;
  }
}
