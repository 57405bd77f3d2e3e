// Preloaded before anything else, and plain JavaScript, so that an old Node says what is the matter instead of
// stumbling over the first TypeScript file.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(
    `Okapi needs Node 24 or newer, this is ${process.version}: npm start brings one, unless optional packages were left out\n`,
  );
  process.exit(1);
}
