// Tasks for the tests of isolated processes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Perform } from './isolated-process.ts';

type Task = {
  does: 'answers' | 'leaves' | 'throws' | 'throws later' | 'rejects' | 'spins' | 'fills' | 'sleeps' | 'stays';
};

export const perform: Perform<Task> = async ({ does }) => {
  const about = { pid: process.pid, environment: Object.keys(process.env) };
  if (does === 'leaves') return { answer: about, again: false };
  if (does === 'throws') throw new RangeError('thrown');
  if (does === 'throws later') setTimeout(() => emit(new RangeError('thrown later')), 10);
  if (does === 'rejects') void Promise.reject(new RangeError('rejected'));
  if (does === 'spins') for (;;);
  if (does === 'fills') fill();
  if (does === 'sleeps') await sleep(400);
  if (does !== 'answers' && does !== 'sleeps') await sleep(10_000);
  return { answer: about, again: true };
};

function emit(error: Error): never {
  throw error;
}

function fill(): void {
  const all: number[][] = [];
  for (;;) all.push(Array.from({ length: 1_000_000 }, (_, n) => n));
}
