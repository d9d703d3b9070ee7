// `npm run test:cluster`: an installation in a cluster, from nothing to nothing.
import { lacksCluster } from '../cluster.ts';
import { jestArgumentsOf } from '../command-line.ts';
import { clusterTestsAlone } from '../jest.ts';
import { runTests } from '../test-run.ts';
import { clusterVariables, imageVariables } from '../variables.ts';

const jestArguments = jestArgumentsOf('npm run test:cluster', {
  does:
    'Installs the Helm chart in the cluster that KUBECONFIG names, in a namespace of its own, beside a Kafka with TLS ' +
    'and SASL and a MongoDB of three members; uses it from outside, upgrades it, rolls it back, scales it, drains a ' +
    'node, kills pods, and uninstalls it. Takes kubectl, helm and about fifteen minutes. The cluster should be one for ' +
    'tests: a node is cordoned for a minute. Where KUBECONFIG names none, all of it is skipped.',
  variables: [
    ['Cluster', clusterVariables],
    ['Images', imageVariables],
  ],
});

const lacks = lacksCluster();
if (lacks === null) await runTests({ jestArguments: [...jestArguments, ...clusterTestsAlone] });
console.log(`reeve: every test of an installation skipped without ${lacks}\n0 passed, 0 failed`);
