// Preloaded before anything else, and plain JavaScript, so that an old Node says what is the matter instead of
// stumbling over the first TypeScript file.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(
    `Okapi needs Node 24 or newer, this is ${process.version}: npm start brings one, unless optional packages were left out\n`,
  );
  process.exit(1);
}

// What Node makes of each file is kept beside the packages, so that the next start has half as much to do. Where the
// folder cannot be written, nothing is kept.
const here = fileURLToPath(new URL('.', import.meta.url));
const packages = [join(here, '..', 'node_modules'), join(here, '..', '..', 'node_modules')].find(existsSync);
if (packages !== undefined) module.enableCompileCache(join(packages, '.cache', 'okapi-compiled'));
