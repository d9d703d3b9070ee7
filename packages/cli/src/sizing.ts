// `reeve sizing`: what an installation needs for so many operations a day, by what one of each was measured to cost.
import { needsOf, type PlannedOperation, planDefaults, planOptions, printedNeeds, readCosts } from '@reeve/sizing';
import { Command, InvalidArgumentError, Option } from 'commander';

/** In the order of --help. */
const counted: Record<PlannedOperation, string> = {
  signIn: 'sign-ins of people who are known',
  signInOfNew: 'sign-ins of people who come for the first time',
  refresh: 'refreshes of tokens',
  request: 'requests to the API',
  webhook: 'webhooks that are accepted',
  repeatedWebhook: 'webhooks that come once more',
};

const explained = `
Asks nobody: it reckons with what was measured once (docs/sizing.md says where, how, and how far it holds).`;

type Options = Record<string, number | undefined> & { json?: true };

export function sizingCommand(): Command {
  const command = new Command('sizing')
    .showHelpAfterError()
    .description('Say which cores, disks and partitions an installation needs')
    .requiredOption('--tenants <count>', 'tenants with events on a day', amount);
  const given = Object.entries(counted).map(([name, of]) => {
    const operation = name as PlannedOperation;
    const option = new Option(`--${planOptions[operation]} <count>`, `${of}, on an average day`);
    command.addOption(option.argParser(amount).default(0));
    return { operation, attribute: option.attributeName() };
  });
  return command
    .option('--peak <factor>', 'the busiest hour, as a multiple of the average', amount, planDefaults.peak)
    .option('--audit-days <days>', 'how long audit logs are kept', amount, planDefaults.auditDays)
    .option('--core-price <price>', 'what a core costs for a month; needs --gigabyte-price', amount)
    .option('--gigabyte-price <price>', 'what a gigabyte of disk costs for a month; needs --core-price', amount)
    .option('--json', 'print it as JSON')
    .addHelpText('after', explained)
    .action(({ tenants = 0, peak = 0, auditDays = 0, corePrice, gigabytePrice, json, ...options }: Options) => {
      if ((corePrice === undefined) !== (gigabytePrice === undefined))
        command.error('error: --core-price and --gigabyte-price go together');
      const perDay = Object.fromEntries(given.map(({ operation, attribute }) => [operation, options[attribute] ?? 0]));
      const prices =
        corePrice === undefined || gigabytePrice === undefined ? null : { core: corePrice, gigabyte: gigabytePrice };
      const needs = needsOf(readCosts(), { tenants, perDay, peak, auditDays, prices });
      console.log(json ? JSON.stringify(needs, null, 2) : printedNeeds(needs));
    });
}

function amount(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It has to be a number that is not below 0.');
  return value;
}
