// Which kind and version a document is of (MANIFEST-3, VERSION-1 to VERSION-7), and whether it follows its schema.

import { readFileSync } from "node:fs";

import { Ajv2020 } from "ajv/dist/2020.js";

import { Fault } from "./fault.mjs";

export const FORMAT_VERSIONS = ["0.1", "1.0"];
const VERSION = /^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$/;
const SCHEMAS = new URL("../../../schema/llb_schema/", import.meta.url);
const CODES = {
  required: "LLB-S001",
  dependentRequired: "LLB-S001",
  additionalProperties: "LLB-S002",
  unevaluatedProperties: "LLB-S002",
  propertyNames: "LLB-S002",
  not: "LLB-S002",
  type: "LLB-S003",
  const: "LLB-S004",
  enum: "LLB-S004",
  pattern: "LLB-S005",
  minLength: "LLB-S005",
  maxLength: "LLB-S005",
  minimum: "LLB-S006",
  maximum: "LLB-S006",
  exclusiveMinimum: "LLB-S006",
  minItems: "LLB-S007",
  maxItems: "LLB-S007",
  minProperties: "LLB-S007",
  maxProperties: "LLB-S007",
  items: "LLB-S007",
};
const UNKNOWN_KEY = ["additionalProperties", "unevaluatedProperties"];
const FAMILY = "profile_likelihood";

// Types and keys are described once, in the schema around or in another one: no fault of a schema, but not strict.
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
for (const version of FORMAT_VERSIONS) {
  for (const name of ["common", "manifest", "vectors"]) {
    ajv.addSchema(JSON.parse(readFileSync(new URL(`${version}/${name}.schema.json`, SCHEMAS), "utf8")));
  }
}

/** Refuses a document that this loader cannot read or that is not valid; `kind` is `manifest` or `vectors`. */
export function checkDocument(document, { kind, format, stage, place = "" }) {
  const refuse = (code, pointer, message) => {
    throw new Fault(stage, code, place + pointer, message);
  };
  const version = identify(document, format, refuse);
  const validate = ajv.getSchema(`urn:llb:schema:${version.schema}:${kind}`);
  if (kind === "manifest") checkReader(document, validate.schema, version.newer, refuse);
  if (validate(document)) return;
  const faults = validate.errors
    .filter(({ keyword }) => !(version.newer && UNKNOWN_KEY.includes(keyword)))
    // `if` only repeats what its branch says.
    .filter(({ keyword }) => keyword !== "if")
    .map((error) => ({ ...error, code: CODES[error.keyword] ?? "LLB-S009" }))
    .sort((one, other) => (one.code < other.code ? -1 : Number(one.code > other.code)));
  if (faults.length === 0) return;
  const [{ code, instancePath, params, message }] = faults;
  const key = params.missingProperty ?? params.unevaluatedProperty ?? params.additionalProperty;
  refuse(code, key === undefined ? instancePath : `${instancePath}/${key}`, message);
}

function identify(document, format, refuse) {
  if (document === null || typeof document !== "object" || Array.isArray(document)) {
    refuse("LLB-S003", "", "the document is not an object");
  }
  if (document.format !== format) refuse("LLB-S013", "/format", `the format is not ${format}`);
  const text = document.format_version;
  const parts = typeof text === "string" ? VERSION.exec(text) : null;
  if (parts === null) refuse("LLB-S014", "/format_version", "the version is not MAJOR.MINOR.PATCH");
  const [major, minor, patch] = parts.slice(1).map(Number);
  const schema = major === 0 ? `0.${minor}` : `${major}.0`;
  if (major > 1) refuse("LLB-S010", "/format_version", `version ${text} is newer than this loader`);
  if (!FORMAT_VERSIONS.includes(schema)) refuse("LLB-S015", "/format_version", `version ${text} is too old`);
  const newer = (major === 0 ? patch : minor) > 0;
  if (newer) console.error(`${format} ${text} is newer than this loader: keys that it does not know are ignored`);
  return { schema, newer };
}

function checkReader({ required_features: features, family }, schema, newer, refuse) {
  if (Array.isArray(features) && features.length > 0) {
    refuse("LLB-S012", "/required_features/0", "this loader has none of the features that are required");
  }
  const exists = newer || schema.properties.family.enum.includes(family);
  if (typeof family === "string" && family !== FAMILY && exists) {
    refuse("LLB-S018", "/family", `this loader does not have the family ${family}`);
  }
}
