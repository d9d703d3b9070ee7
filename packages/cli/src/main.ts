// reeve: the command line. Every command says what it does, what it found, and exits with a code that a script can use.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { rebuildSearchCommand } from './audit-rebuild-search.ts';
import { verifyCommand, verifyProofCommand } from './audit-verify.ts';
import { callApiCommand } from './call-api.ts';
import { gradeConnectionCommand } from './connection-grade.ts';
import { listDeadLettersCommand, replayDeadLettersCommand } from './dead-letters.ts';
import { doctorCommand } from './doctor/doctor.ts';
import { checkEmbedCommand } from './embed-check.ts';
import { kafkaStatusCommand } from './kafka-status.ts';
import { endSessionsCommand } from './sessions-end.ts';
import { listSigningKeysCommand, rotateSigningKeyCommand } from './signing-keys.ts';
import { listSinksCommand } from './sinks-list.ts';
import { sizingCommand } from './sizing.ts';
import { listMembersCommand } from './store-members.ts';
import { rewrapCommand, vaultStatusCommand } from './vault-keys.ts';

const manifest = z.object({ version: z.string() });
const { version } = manifest.parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')));

const program = new Command('reeve')
  .description('Command line of Reeve, the identity plane')
  .version(version, '--version')
  .showHelpAfterError();

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

program
  .command('signing-keys')
  .description('The keys that sign tokens')
  .addCommand(listSigningKeysCommand())
  .addCommand(rotateSigningKeyCommand());

program
  .command('vault')
  .description('The keys of the vault')
  .addCommand(vaultStatusCommand())
  .addCommand(rewrapCommand());

program.command('sessions').description('Sessions of people').addCommand(endSessionsCommand());
program.command('sinks').description('Where the audit log is pushed to').addCommand(listSinksCommand());
program.command('kafka').description('Kafka').addCommand(kafkaStatusCommand());
program.command('store').description('MongoDB').addCommand(listMembersCommand());
program.command('connection').description('SSO connections').addCommand(gradeConnectionCommand());
program.addCommand(doctorCommand());
program.addCommand(sizingCommand());
program.command('embed').description('The assistant inside other pages').addCommand(checkEmbedCommand());
program.addCommand(callApiCommand());

/** A wrong call is not a log that was found wanting: 2, where commander would say 1. */
function withOwnExitCodes(command: Command) {
  command.exitOverride();
  for (const inner of command.commands) withOwnExitCodes(inner);
}
withOwnExitCodes(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
