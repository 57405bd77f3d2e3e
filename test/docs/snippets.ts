/** One fenced `ts` block of a document, as a file of a domain. */
export type Snippet = {
  /** The document as it is named in complaints, such as `docs/core.md`. */
  document: string;
  /** Where the code begins in the document, counted from 1. */
  line: number;
  /** Name of the file; its own when the block begins with `// src/domains/notes/<file>`. */
  file: string;
  /** The code, with as many empty lines before it as bring it to its line in the document. */
  source: string;
  /** What the `// →` comments say is printed, one line each. */
  expected: Printed[];
};

/** A line of output, and the line of the document that says or prints it. */
export type Printed = { line: number; text: string };

const NAMED = /^\/\/ src\/domains\/notes\/([\w-]+\.ts)$/;
const SAYS = /\/\/ → ?(.*)$/;

/** The `ts` blocks of a Markdown text, in their order. */
export function readSnippets(document: string, markdown: string): Snippet[] {
  return fencedBlocks(markdown, 'ts').map(({ line, code }) => ({
    document,
    line,
    file: NAMED.exec(code[0] ?? '')?.[1] ?? `${document.replace(/\W+/g, '-')}-${line}.ts`,
    source: `${'\n'.repeat(line - 1)}${code.join('\n')}\n`,
    expected: code.flatMap((text, index) => {
      const said = SAYS.exec(text)?.[1];
      return said === undefined ? [] : [{ line: line + index, text: said.trimEnd() }];
    }),
  }));
}

/** The settings under which a document's snippets run: its `dotenv` blocks, put together. */
export function readEnvFile(markdown: string): string {
  return fencedBlocks(markdown, 'dotenv')
    .map(({ code }) => `${code.join('\n')}\n`)
    .join('');
}

function fencedBlocks(markdown: string, language: string): { line: number; code: string[] }[] {
  const blocks: { line: number; code: string[] }[] = [];
  let open: { line: number; code: string[] } | undefined;
  let isInside = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (line.startsWith('```')) {
      if (open !== undefined) blocks.push(open);
      open = !isInside && line.trim() === `\`\`\`${language}` ? { line: index + 2, code: [] } : undefined;
      isInside = !isInside;
    } else {
      open?.code.push(line);
    }
  }
  return blocks;
}

/** Where what was printed differs from what the snippet says, one complaint each. */
export function compareOutput({ document, expected }: Snippet, printed: readonly Printed[]): string[] {
  const complaints: string[] = [];
  for (let index = 0; index < Math.max(expected.length, printed.length); index++) {
    const says = expected[index];
    const prints = printed[index];
    if (says?.text === prints?.text) continue;
    const line = says?.line ?? prints?.line;
    const [a, b] = [says, prints].map((each) => (each === undefined ? 'nothing' : JSON.stringify(each.text)));
    complaints.push(`${document}:${line}: says ${a}, prints ${b}`);
  }
  return complaints;
}
