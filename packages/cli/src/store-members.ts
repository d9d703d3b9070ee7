// `reeve store members`: the members of the replica set, which of them takes writes, and how far the others are behind.
import { Command } from 'commander';
import { complain, required } from './api.ts';

const working = ['PRIMARY', 'SECONDARY', 'ARBITER'];

const explained = `
The user of the connection string needs the role clusterMonitor.

Ends with 0; with 1 where no member takes writes, or one does not do its work; with 2 where none could be asked.`;

export function listMembersCommand(): Command {
  return new Command('members')
    .showHelpAfterError()
    .description('List the members of the replica set of MongoDB')
    .addOption(required('--uri <mongodb://…>', 'connection string; better by the environment', 'MONGODB_URI'))
    .addHelpText('after', explained)
    .action(async ({ uri }: { uri: string }) => {
      try {
        const { membersOf } = await import('@reeve/store/members');
        const members = await membersOf(uri);
        for (const { name, state, behindSeconds } of members)
          console.log(`${name}  ${state}${behindSeconds === null ? '' : `  ${behindSeconds} s behind`}`);
        const isWhole = members.every(({ state }) => working.includes(state));
        const hasPrimary = members.some(({ state }) => state === 'PRIMARY');
        console.log(hasPrimary ? `${members.length} members` : 'no member takes writes');
        if (!hasPrimary || !isWhole) process.exitCode = 1;
      } catch (error) {
        complain(error);
      }
    });
}
