/** What an earlier step has found out. Throws for what none has: then the steps are in a wrong order. */
export function known<T>(found: T | null): T {
  if (found === null) throw new TypeError('a sign-in came to a step without what an earlier one finds out');
  return found;
}
