// Answers whether documents follow the JSON Schemas of a folder, by ajv and by nothing of ours; offline.
//
//     node validate.mjs FOLDER < requests
//
// Every line of stdin is {"schema": "<$id>", "document": <any JSON value>}; the same line of stdout then says
// `valid` or `invalid`. A schema that ajv does not take, or an unknown $id, ends the program with an error.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { Ajv2020 } from "ajv/dist/2020.js";

const [folder] = process.argv.slice(2);
const ajv = new Ajv2020({
  strict: true,
  // `if ... then` requires keys that are described once, in the schema around it.
  strictRequired: false,
  // The id of a bundle is a string, or null where nobody could read it.
  allowUnionTypes: true,
});
const names = readdirSync(folder).filter((name) => name.endsWith(".schema.json"));
const schemas = names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
schemas.forEach((schema) => ajv.addSchema(schema));
// All at once, so that a reference into nowhere ends here and not at the first document.
schemas.forEach((schema) => ajv.getSchema(schema.$id));

for await (const line of createInterface({ input: process.stdin })) {
  const { schema, document } = JSON.parse(line);
  const validate = ajv.getSchema(schema);
  if (validate === undefined) throw new Error(`no schema ${schema} in ${folder}`);
  process.stdout.write(validate(document) ? "valid\n" : "invalid\n");
}
