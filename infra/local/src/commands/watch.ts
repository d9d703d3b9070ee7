// `npm run watch`: the tests that need no engines, again on every change.
import { jestArgumentsOf } from '../command-line.ts';
import { runUnitTests } from '../unit.ts';

runUnitTests([
  '--watchAll',
  ...jestArgumentsOf('npm run watch', {
    does: 'Runs every test that needs no engines, and again on every change. `w` lists what else it can do.',
    variables: [],
  }),
]);
