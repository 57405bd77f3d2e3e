import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeArgs } from '../src/node-args.ts';

/** `npm run build`: plain JavaScript in `dist/`, with the files that are no code beside it. */
rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
for (const file of globSync('src/**/*.sql')) cpSync(file, join('dist', file));
cpSync('scripts/prepare-node.js', 'dist/scripts/prepare-node.js');
const args = nodeArgs('./dist').map((arg) => arg.replace(/\.ts$/, '.js'));
process.stdout.write(`Built dist/: node ${args.join(' ')} dist/src/main.js\n`);
