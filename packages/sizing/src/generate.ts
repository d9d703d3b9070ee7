// Writes the tables of docs/sizing.md. `--check` writes nothing and fails when they are stale.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeOrCheck } from '@reeve/contracts/generated-files';
import { type Costs, type Operation, operations, readCosts, sum } from './costs.ts';
import { needsOf, type Plan, type PlannedOperation, planDefaults, planOptions, serviceNames } from './needs.ts';
import { printedNeeds } from './printed.ts';

const file = fileURLToPath(new URL('../../../docs/sizing.md', import.meta.url));
const costs = readCosts();

const meaning: Record<Operation, string> = {
  signIn: 'sign-in of a person who is known, by OpenID Connect, to the application’s tokens',
  signInOfNew: 'the same of a person who is made by it',
  refresh: 'refresh of a token',
  request: 'request to the API with an access token',
  webhook: 'webhook of 1 kB that is accepted',
  repeatedWebhook: 'webhook that was there before',
  webhookOfQuietTenant: 'accepted webhook of a tenant without another event in that minute',
};
const processes = [...serviceNames, 'mongodb', 'kafka'];
const table = (rows: readonly (readonly string[])[]) => rows.map(cells => `| ${cells.join(' | ')} |`).join('\n');
const ruled = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  table([head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]);
const ms = (value: number | undefined) => (value === undefined || value < 0.005 ? '' : value.toFixed(2));

const parts: Record<string, string> = {
  costs: costTable(costs),
  checks: ruled(
    ['load', 'operations a second', 'cores, measured', 'processor time: reckoned / measured', 'disk'],
    costs.checks.map(({ name, perSecond, cores, ratio }) => [
      name,
      sum(perSecond).toFixed(0),
      cores.toFixed(2),
      ratio.processor.toFixed(2),
      ratio.storage.toFixed(2),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({
      'ten thousand tenants': { tenants: 10_000, perDay: dayOf(10_000_000) },
      'a million tenants': { tenants: 1_000_000, perDay: dayOf(1_000_000_000) },
    }).map(([name, of]) => [name, example(of)]),
  ),
};

/** An installation with so many events in its audit log, of which a third comes from webhooks. */
function dayOf(events: number): Plan['perDay'] {
  const { signIn, signInOfNew } = costs.operations;
  const signIns = (events * 0.6) / signIn.auditEvents;
  return {
    signIn: Math.round(signIns),
    signInOfNew: Math.round((events * 0.01) / signInOfNew.auditEvents),
    refresh: Math.round(signIns * 8),
    webhook: Math.round(events / 3),
    repeatedWebhook: Math.round(events / 60),
    request: Math.round(signIns * 4),
  };
}

function example({ tenants, perDay }: Pick<Plan, 'tenants' | 'perDay'>): string {
  const given = Object.entries(perDay).map(([name, count]) => `--${planOptions[name as PlannedOperation]} ${count}`);
  const needs = needsOf(costs, { ...planDefaults, tenants, perDay, prices: null });
  return ['```', `$ reeve sizing --tenants ${tenants} ${given.join(' ')}`, printedNeeds(needs), '```'].join('\n');
}

function costTable({ measuredAt, machine, operations: each, atRest }: Costs): string {
  const rows = operations.map(operation => {
    const { processorMs, storeBytes, topicBytes, auditEvents } = each[operation];
    const times = [...processes.map(name => ms(processorMs[name])), ms(sum(processorMs))];
    const bytes = [storeBytes, topicBytes].map(of => Math.round(sum(of)).toString());
    return [meaning[operation], ...times, ...bytes, auditEvents.toFixed(2)];
  });
  const memory = serviceNames.map(name => `${name} ${Math.round(atRest.memoryMb[name] ?? 0)}`);
  return [
    `Measured ${measuredAt} on ${machine}. Processor time in ms, disk in bytes.`,
    '',
    ruled(['one', ...processes, 'in all', 'MongoDB', 'Kafka', 'events'], rows),
    '',
    `At rest, all of it takes ${(sum(atRest.processorMs) / 10).toFixed(1)} % of a core. Memory of a process in MB:`,
    `${memory.join(', ')}.`,
  ].join('\n');
}

const before = readFileSync(file, 'utf8');
const after = Object.entries(parts).reduce((text, [name, part]) => {
  const marked = new RegExp(`(<!-- begin ${name} -->)[^]*?(<!-- end ${name} -->)`);
  if (!marked.test(text)) throw new Error(`docs/sizing.md has no place for ${name}`);
  return text.replace(marked, (_, begin, end) => `${begin}\n\n${part}\n\n${end}`);
}, before);
writeOrCheck('sizing', new Map([[file, after]]));
