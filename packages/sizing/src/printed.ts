// What is needed, for people to read.
import type { Needs } from './needs.ts';

const rounded = (value: number) => new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value);
const [nameWidth, cellWidth] = [20, 12];

const row = (name: string, cells: readonly string[]) =>
  `${name.padEnd(nameWidth)}${cells.map(cell => cell.padStart(cellWidth)).join('')}`;

export function printedNeeds(needs: Needs): string {
  const { services, mongodb, kafka, coresInAll, gigabytesInAll, costPerMonth } = needs;
  const { cells } = mongodb;
  const disk = Object.entries(mongodb.gigabytes)
    .filter(([, gigabytes]) => gigabytes >= 1)
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, gigabytes]) => `${name} ${rounded(gigabytes)} GB`);
  const among = (text: string) => (cells > 1 ? text : '');
  const lines = [
    `${rounded(needs.auditEventsPerDay)} events a day in the audit log, ` +
      `${rounded(needs.auditEventsPerSecondAtPeak)} a second in the busiest hour`,
    '',
    row('in the busiest hour', ['cores', 'pods', 'MB a pod']),
    ...services.map(({ name, cores, pods, memoryMb }) => row(name, [rounded(cores), rounded(pods), rounded(memoryMb)])),
    '',
    `Installations: ${cells}${among(', each with its own tenants, MongoDB and Kafka, and an equal part of the pods')}`,
    `MongoDB: three members${among(' in each')} of ${rounded(mongodb.coresOfMember)} cores; ` +
      `on disk, on each copy: ${disk.join(', ') || 'less than a gigabyte'}`,
    `Kafka: three brokers of ${rounded(kafka.coresOfBroker)} cores; ` +
      `${rounded(kafka.megabytesPerSecond)} MB/s written in the busiest hour, ` +
      `${rounded(kafka.gigabytes)} GB on each copy${among(', over all installations')}`,
    `Partitions of each topic: ${kafka.partitions}`,
    `In all: ${rounded(coresInAll)} cores, ${rounded(gigabytesInAll)} GB`,
    ...(costPerMonth === null ? [] : [`A month: ${rounded(costPerMonth)}`]),
  ];
  return lines.join('\n');
}
