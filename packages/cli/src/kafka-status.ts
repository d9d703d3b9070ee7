// `reeve kafka status`: whether every partition of Reeve's topics has its leader and replicas, and who is behind.
import { Command } from 'commander';
import { brokersOption, securedBrokers, withKafka } from './kafka.ts';

const explained = `
Ends with 0; with 1 where a partition lacks its leader or a replica; with 2 where no broker answers.`;

export function kafkaStatusCommand(): Command {
  return new Command('status')
    .showHelpAfterError()
    .description("Say whether Reeve's topics are whole, and how far consumers are behind")
    .addOption(brokersOption('Kafka'))
    .addHelpText('after', explained + securedBrokers)
    .action((options: { brokers: string }) =>
      withKafka(options, async bus => {
        const { brokers, topics, impaired, lag } = await bus.status('reeve.');
        for (const { topic, partition, leader, replicas, inSync } of impaired) {
          const what = leader === null ? 'no leader' : `${inSync} of ${replicas} replicas in sync`;
          console.log(`${topic}/${partition}  ${what}`);
        }
        for (const { group, topic, messages } of lag) console.log(`${group}  ${topic}  ${messages} behind`);
        const behind = lag.reduce((sum, { messages }) => sum + messages, 0);
        console.log(
          `${brokers} brokers, ${topics} topics, ${impaired.length} partitions impaired, ${behind} messages behind`,
        );
        if (impaired.length > 0) process.exitCode = 1;
      }),
    );
}
