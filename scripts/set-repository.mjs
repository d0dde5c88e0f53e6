// Says where the repository is: `node scripts/set-repository.mjs https://github.com/OWNER/ws-with`. Everything that hangs on it follows: `repository`,
// `homepage` and `bugs` of both packages, and with them the links of what is packed. Without an address it checks that one was given.
import { readFileSync, writeFileSync } from 'node:fs';
import { addressesOf, isPlaceholder } from './repository.mjs';

const files = ['package.json', 'cli/package.json'].map((path) => new URL(`../${path}`, import.meta.url));
const [address] = process.argv.slice(2);

if (address === undefined) {
  const unset = files.some((file) => isPlaceholder(JSON.parse(readFileSync(file, 'utf8'))));
  if (unset) console.error('Say where the repository is before you publish: node scripts/set-repository.mjs https://…');
  process.exitCode = unset ? 1 : 0;
} else {
  const { protocol, href } = new URL(address.replace(/(\.git)?\/?$/, ''));
  if (protocol !== 'https:') throw new TypeError(`The address of the repository must begin with https:, got ${protocol}`);
  for (const file of files) {
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    manifest.repository.url = `git+${href}.git`;
    const { homepage, issues } = addressesOf(manifest);
    writeFileSync(file, `${JSON.stringify({ ...manifest, homepage, bugs: issues }, undefined, 2)}\n`);
  }
}
