// Prints the software bill of materials of an image (CycloneDX), which npm makes of the installation in this folder.
//   node sbom.mjs <name of the image>
// The folder is of no use for installing afterwards: npm counts as missing what a manifest wants and is not there, so
// that tests are taken out of the manifests.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const [name] = process.argv.slice(2);
const manifests = globSync('{packages,services}/*/package.json').sort();

for (const file of ['package.json', ...manifests]) {
  const { devDependencies: _, workspaces, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
  if (workspaces) manifest.workspaces = manifests.map(dirname);
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
// Not with --omit=dev: npm would leave out some of what is needed, as jose where service-kit alone names it.
const said = execFileSync('npm', ['sbom', '--sbom-format=cyclonedx'], { encoding: 'utf8' });
// Without the time and the random number, by which no two would be the same.
const { serialNumber: _, metadata, ...bill } = JSON.parse(said);
const { timestamp: __, component, ...about } = metadata;
const image = { ...component, type: 'container', name };
process.stdout.write(`${JSON.stringify({ ...bill, metadata: { ...about, component: image } }, null, 2)}\n`);
