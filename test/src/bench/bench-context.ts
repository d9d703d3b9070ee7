// What a benchmark is given, and what it gives back.
import type { Child } from '@reeve/local/children';
import type { Credentials, System } from '@reeve/local/system';
import type { Kafka } from 'kafkajs';

export type BenchContext = {
  credentials: Credentials;
  system: System;
  kafka: Kafka;
  startProcess(name: string, file: string, env: Record<string, string>, port: number): Promise<Child>;
  createTopic(name: string, partitions: number): Promise<string>;
  /** Processor time so far in ms, by process; the benchmark's own is `load`. */
  processorMs(): Record<string, number>;
};

export type Bench = {
  name: string;
  unit: string;
  floorIs: string;
  /** The ratio that there should be at least. */
  wanted: number;
  run(context: BenchContext): Promise<{ ours: number; floor: number; details: Record<string, unknown> }>;
};
