#!/usr/bin/env node
// Starts the CLI on the project's Node with its TypeScript sources, or from its build where there is one and no
// sources.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const entry = existsSync(source) ? source : fileURLToPath(new URL('../dist/main.js', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    // kafkajs hands setTimeout a time in the past; harmless, and not ours to mend.
    '--disable-warning=TimeoutNegativeWarning',
    entry,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
