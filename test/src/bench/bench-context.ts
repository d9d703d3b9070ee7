// What a benchmark is given, and what it gives back.
import type { Child } from '@reeve/local/children';
import type { Keycloak } from '@reeve/local/keycloak';
import type { Credentials, System } from '@reeve/local/system';
import type { IdentityProvider } from '@reeve/testing/identity-provider';
import type { SamlIdentityProvider } from '@reeve/testing/saml';
import type { Kafka } from 'kafkajs';

export type BenchContext = {
  credentials: Credentials;
  system: System;
  kafka: Kafka;
  /** Somebody else's, which signs everybody in at once. */
  identityProvider: IdentityProvider;
  /** The same, by SAML. */
  samlProvider: SamlIdentityProvider;
  /** Ends with the benchmarks. */
  startKeycloak(port: number): Promise<Keycloak>;
  startProcess(name: string, file: string, env: Record<string, string>, port: number): Promise<Child>;
  createTopic(name: string, partitions: number): Promise<string>;
  /** Processor time so far in ms, by process; the benchmark's own is `load`. */
  processorMs(): Record<string, number>;
  /** Memory in MB, by process; what several share is divided among them. */
  memoryMb(): Record<string, number>;
  /** What topics have on disk so far, by topic. Throws where Kafka is none of this run. */
  topicBytes(): Record<string, number>;
};

export type Bench = {
  name: string;
  unit: string;
  floorIs: string;
  /** The ratio that there should be at least. */
  wanted: number;
  run(context: BenchContext): Promise<{ ours: number; floor: number; details: Record<string, unknown> }>;
};

/** Counts what one of something costs, where the machine's speed would say little. */
export type CostBench = {
  name: string;
  run(context: BenchContext): Promise<{ results: CostResult[]; details: Record<string, unknown> }>;
};

export type CostResult = {
  what: string;
  /** Left out where nothing is done. */
  perSecond?: number;
  /** `atMost` is what each may cost. */
  costs: { of: string; each: number; atMost?: number }[];
  details: Record<string, unknown>;
};
