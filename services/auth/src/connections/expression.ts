// Expressions of a connection's mapping, in CEL (the Common Expression Language) over `claims`. A tenant writes them,
// and they run while everybody waits: so of the language there is what ends soon whatever the claims are, which loops
// within loops and regular expressions do not.
import { Environment } from '@marcbachmann/cel-js';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

const limits = { maxAstNodes: 100, maxDepth: 20, maxListElements: 20, maxMapEntries: 20, maxCallArguments: 4 };
const longest = 1_000;

const functions: readonly string[] = [
  'contains',
  'endsWith',
  'exists',
  'has',
  'indexOf',
  'lowerAscii',
  'size',
  'split',
  'startsWith',
  'string',
  'substring',
  'trim',
  'upperAscii',
  'values',
];

/** What takes as long as the claims are, each time, may stand outside of loops alone. */
const inLoops: readonly string[] = ['startsWith', 'endsWith'];
const operatorsInLoops: readonly string[] = ['==', '!=', 'in', '&&', '||', '!_', '?:', '.', 'id', 'value', 'list'];

const environment = new Environment({ limits })
  .registerVariable('claims', 'map')
  // A claim of which there may be several is a text where there is one.
  .registerFunction('values(dyn): list', (value: unknown) => [value].flat());

type Node = { op: string; args: unknown };
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'op' in value;

/** What is wrong with it; null for one that we evaluate. */
function problemOf(text: string): string | null {
  try {
    const parsed = environment.parse(text);
    const refused = refusedIn(parsed.ast as unknown as Node, false);
    if (refused !== null) return refused;
    const { valid, error } = parsed.check();
    return valid ? null : firstLineOf(error);
  } catch (error) {
    return firstLineOf(error);
  }
}

const firstLineOf = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? '') : '');

function refusedIn({ op, args }: Node, isInLoop: boolean): string | null {
  const called = (op === 'call' || op === 'rcall') && Array.isArray(args) ? String(args[0]) : null;
  if (called !== null && !functions.includes(called))
    return `${called} is not offered; there is ${functions.join(', ')}`;
  const isShort =
    called === null ? operatorsInLoops.includes(op) && isShortComparison(op, args) : inLoops.includes(called);
  if (isInLoop && !isShort)
    return `within exists there is ${inLoops.join(', ')}, and comparing with what is written there`;
  // What is looped over is evaluated once.
  const once: unknown = called === 'exists' && Array.isArray(args) ? args[1] : null;
  for (const part of [args].flat(2)) {
    const isLooped = isInLoop || (called === 'exists' && part !== once);
    const refused = isNode(part) ? refusedIn(part, isLooped) : null;
    if (refused !== null) return refused;
  }
  return null;
}

export const expressionSchema = z
  .string()
  .min(1)
  .max(longest)
  .superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== null) context.addIssue(`is not an expression that is taken: ${problem}`);
  });

/** Lists are compared member by member, and looked through as long as they are. */
function isShortComparison(op: string, args: unknown): boolean {
  if (!Array.isArray(args)) return true;
  const sides = args.filter(isNode);
  if (op === 'in') return sides[1]?.op === 'list';
  return !['==', '!='].includes(op) || sides.some(side => side.op === 'value');
}

const parsed = new LRUCache<string, ReturnType<typeof environment.parse>>({ max: 1_000 });

/** Undefined where it comes to nothing, as with a claim that is not there. */
export function evaluate(text: string, claims: Readonly<Record<string, unknown>>): unknown {
  const expression = parsed.get(text) ?? environment.parse(text);
  parsed.set(text, expression);
  try {
    return expression({ claims });
  } catch {
    return undefined;
  }
}
