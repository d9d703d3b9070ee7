// `npm run unit`: every test that needs no engines.
import { jestArgumentsOf } from '../command-line.ts';
import { runUnitTests } from '../unit.ts';

runUnitTests(
  jestArgumentsOf('npm run unit', {
    does: 'Runs every test that needs no engines, in seconds.',
    variables: [],
  }),
);
