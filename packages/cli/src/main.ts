// reeve: the command line. Every command says what it does, what it found, and exits with a code that a script can use.
import { Command } from 'commander';
import { rebuildSearchCommand } from './audit-rebuild-search.ts';
import { verifyCommand, verifyProofCommand } from './audit-verify.ts';
import { listDeadLettersCommand, replayDeadLettersCommand } from './dead-letters.ts';

const program = new Command('reeve').description('Command line of Reeve, the identity plane').showHelpAfterError();

program
  .command('audit')
  .description('The audit log')
  .addCommand(verifyCommand())
  .addCommand(verifyProofCommand())
  .addCommand(rebuildSearchCommand());
program
  .command('dead-letters')
  .description('Messages that a consumer could not read')
  .addCommand(listDeadLettersCommand())
  .addCommand(replayDeadLettersCommand());

await program.parseAsync();
