import { createRequire, Module } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * Gives kafkajs something else for one of its modules. Before anybody asks for it: instrumentation of `require` keeps
 * what it saw first.
 */
export function replaceModule(file: string, exports: unknown): void {
  const place = require.resolve(`kafkajs/src/${file}`);
  const replacement = new Module(place);
  replacement.exports = exports;
  replacement.loaded = true;
  require.cache[place] = replacement;
}
