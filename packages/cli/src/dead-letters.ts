// `reeve dead-letters list|replay <topic> <group>`: what a consumer could not read, and giving it another chance after
// the cause is mended.
import type { DeadLetter } from '@reeve/event-bus';
import { Command } from 'commander';
import { brokersOption, securedBrokers, withKafka } from './kafka.ts';

type Options = { brokers: string };

function base(name: string, description: string): Command {
  return new Command(name)
    .showHelpAfterError()
    .description(description)
    .argument('<topic>', 'for example reeve.auth.v1')
    .argument('<group>', 'the consumer group, for example audit.chain')
    .addOption(brokersOption('Kafka'))
    .addHelpText('after', securedBrokers);
}

export function listDeadLettersCommand(): Command {
  return base('list', 'List dead letters with the reason each was set aside for').action(
    (topic: string, group: string, options: Options) =>
      withKafka(options, async bus => {
        const letters = await bus.readDeadLetters(topic, group);
        for (const letter of letters) console.log(describe(letter));
        console.log(`${letters.length} dead letters of ${topic} in ${group}`);
      }),
  );
}

export function replayDeadLettersCommand(): Command {
  return base('replay', 'Publish dead letters to their topic again')
    .option('--offset <offset>', 'only the one at this offset of the dead letters')
    .action((topic: string, group: string, options: Options & { offset?: string }) =>
      withKafka(options, async bus => {
        const found = await bus.readDeadLetters(topic, group);
        const letters = options.offset === undefined ? found : found.filter(({ offset }) => offset === options.offset);
        if (letters.length > 0) await bus.replayDeadLetters(topic, letters);
        console.log(`${letters.length} dead letters published to ${topic} again`);
      }),
    );
}

function describe({ offset, headers }: DeadLetter): string {
  const {
    'dlq-reason-code': code,
    'dlq-reason': reason,
    'dlq-original-partition': partition,
    'dlq-original-offset': original,
    ce_type: type,
    ce_id: id,
  } = headers;
  return `${offset}  ${code}: ${reason}  (${type ?? 'no type'} ${id ?? 'no id'}, from partition ${partition} offset ${original})`;
}
