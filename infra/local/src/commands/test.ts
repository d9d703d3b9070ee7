// `npm test`: every test that needs nothing which others run.
import { jestArgumentsOf } from '../command-line.ts';
import { withoutOnDemand } from '../jest.ts';
import { runTests } from '../test-run.ts';
import { engineVariables, testVariables } from '../variables.ts';

const jestArguments = jestArgumentsOf('npm test', {
  does:
    'Runs tests, and starts before them what they need: nothing for unit tests, Kafka and MongoDB for ' +
    '*.integration.test.ts, the whole system for test/src/e2e and test/src/isolation, Helm and the schemas of ' +
    'Kubernetes for infra/helm (fetched once; needs Go, and Python with pip). Without arguments: every test but ' +
    'those of `npm run test:peers` and `npm run test:images`.',
  variables: [
    ['Engines', engineVariables],
    ['Tests', testVariables],
  ],
});

await runTests({
  jestArguments: [...jestArguments, ...withoutOnDemand],
  failuresAreRepeated: jestArguments.length === 0,
});
