// balena's own parser on compose files: node balena_parse.js FOLDER_OF_NODE_MODULES FILE...; exit status 1 when it refuses one.

const fs = require("fs");
const [modules, ...files] = process.argv.slice(2);
const find = (name) => require(require.resolve(name, { paths: [modules] }));
const { normalize, parse } = find("@balena/compose").parse;
const yaml = find("js-yaml");

for (const file of files) {
  try {
    parse(normalize(yaml.load(fs.readFileSync(file, "utf8"))));
  } catch (error) {
    console.log(`${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
