#!/usr/bin/env node
// Starts it from its TypeScript sources, or from its build where there is one and no sources. In this process, so that
// whoever sends a signal reaches it.
import { existsSync } from 'node:fs';

const source = new URL('../src/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
