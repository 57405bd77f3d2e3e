import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/**
 * Who may know whom (see docs/architecture.md). A rule names the files it is for, what they may import of the project,
 * and exceptions within that; packages of npm are free unless a rule forbids them.
 */
type Rule = { files: RegExp; may: RegExp; mayNot?: RegExp; packages?: RegExp };

/** Whatever the preload loads must load none of these: the SDK could not wrap them any more. */
const TRACED = /^(koa|@koa|pg|mongodb)(\/|$)/;

const RULES: readonly Rule[] = [
  {
    files: /^instrumentation\.ts$/,
    may: /^src\/(core\/(config\/|telemetry\/sdk\.ts$|errors\/startup-error\.ts$)|domains\/settings\.ts$)/,
    packages: TRACED,
  },
  {
    files: /^src\/core\/config\//,
    may: /^(src\/core\/(config\/|errors\/startup-error\.ts$)|package\.json$)/,
    packages: TRACED,
  },
  {
    files: /^src\/domains\/settings\.ts$/,
    may: /^src\/(core\/config\/index\.ts$|domains\/[^/]+\/settings\.ts$)/,
    packages: TRACED,
  },
  { files: /^src\/domains\/[^/]+\/settings\.ts$/, may: /^src\/core\/config\/index\.ts$/, packages: TRACED },
  { files: /^src\/core\//, may: /^(src\/core\/|package\.json$)/, packages: /^(pg|mongodb)(\/|$)/ },
  { files: /^src\/db\//, may: /^src\/(core|db)\// },
  { files: /^src\/operations\//, may: /^src\/(core|operations|db)\// },
  {
    files: /^src\/domains\/(index|domain|compose)\.ts$/,
    may: /^src\/(core\/index\.ts$|db\/|domains\/([^/]+\/index|index|domain)\.ts$)/,
    mayNot: /^src\/db\/embedded\//,
  },
  { files: /^src\/application\.ts$/, may: /^src\//, mayNot: /^src\/(main\.ts$|db\/embedded\/)/ },
];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"\n;]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|(?:^|\n)\}\s*from\s*['"]([^'"]+)['"]/g;

/** The modules that a source file imports, as written, `import type` included. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Looks through `instrumentation.ts` and `src/`; returns how many files it read and a line for each violation. */
export function findForbiddenImports(root: string): { files: number; violations: string[] } {
  const files = globSync(['instrumentation.ts', 'src/**/*.ts'], { cwd: root }).map((file) =>
    file.replaceAll('\\', '/'),
  );
  const violations = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).flatMap((specifier) => {
      const target = specifier.startsWith('.')
        ? normalize(join(dirname(file), specifier)).replaceAll('\\', '/')
        : specifier;
      return isAllowed(file, target, specifier.startsWith('.')) ? [] : [`${file} may not import ${target}`];
    }),
  );
  return { files: files.length, violations };
}

function isAllowed(file: string, target: string, isLocal: boolean): boolean {
  if (target === 'src/main.ts') return false;
  const rule = RULES.find((candidate) => candidate.files.test(file));
  const domain = /^src\/domains\/([^/]+)\//.exec(file)?.[1];
  if (rule === undefined && domain !== undefined && isLocal) return isAllowedInDomain(domain, target);
  if (rule === undefined) return true;
  if (!isLocal) return !(rule.packages?.test(target) ?? false);
  return rule.may.test(target) && !(rule.mayNot?.test(target) ?? false);
}

/** A domain sees the public door of the core, what the stores offer, what a domain is, and the door of other domains. */
function isAllowedInDomain(domain: string, target: string): boolean {
  if (target.startsWith(`src/domains/${domain}/`)) return true;
  if (target.startsWith('src/db/')) return !target.startsWith('src/db/embedded/');
  if (target === 'src/core/index.ts' || target === 'src/domains/domain.ts') return true;
  return /^src\/domains\/[^/]+\/index\.ts$/.test(target);
}
