// `npm run test:images`: the images, built, and looked into.
import { jestArgumentsOf } from '../command-line.ts';
import { lacksDocker } from '../images.ts';
import { imageTestsAlone } from '../jest.ts';
import { runTests } from '../test-run.ts';
import { imageVariables } from '../variables.ts';

const jestArguments = jestArgumentsOf('npm run test:images', {
  does:
    'Builds the images of infra/docker, looks into each, and builds one again without a cache, to compare. Takes some ' +
    'minutes, and a Docker engine with buildx; without one, all of it is skipped.',
  variables: [['Images', imageVariables]],
});

const lacks = await lacksDocker();
if (lacks === null) await runTests({ jestArguments: [...jestArguments, ...imageTestsAlone] });
console.log(`reeve: every test of the images skipped without ${lacks}\n0 passed, 0 failed`);
