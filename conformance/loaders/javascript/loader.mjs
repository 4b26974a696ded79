// The conformance protocol (section 16): requests as JSON lines on standard input, one reply for each on standard
// output.

import { ArchiveError } from "./bundle.mjs";
import { FORMAT_VERSIONS } from "./document.mjs";
import { Fault } from "./fault.mjs";
import { Model } from "./model.mjs";

// Standard output is for replies, and libraries print to it.
console.log = console.info = console.debug = console.error;
// What breaks beside a request must not take the loader with it.
process.on("uncaughtException", (error) => console.error(error));

const IMPLEMENTATION = { name: "llb-loader-javascript", version: "1.0.0", language: "JavaScript" };

let model;

async function close() {
  const closing = model;
  model = undefined;
  await closing?.close();
}

function opened() {
  if (model === undefined) throw new Error("no bundle is open");
  return model;
}

const COMMANDS = {
  start() {
    const about = { protocol: 1, implementation: IMPLEMENTATION };
    return { reply: "started", ...about, format_versions: FORMAT_VERSIONS, classes: ["core"] };
  },

  async open({ bundle }) {
    await close();
    try {
      model = await Model.open(bundle);
    } catch (error) {
      if (error instanceof ArchiveError) return { reply: "unsupported", what: "open of an archive" };
      throw error;
    }
    const { manifest, inputs } = model;
    return { reply: "opened", format_version: manifest.format_version, inputs: inputs.map(({ id }) => id) };
  },

  describe() {
    const { manifest, inputs } = opened();
    const { id, version, curves, domain } = manifest;
    return {
      reply: "described",
      id,
      version,
      inputs: inputs.map((input) => input.id),
      curves: Object.fromEntries(curves.map(({ name, baseline_nll: baseline }) => [name, baseline])),
      lower: domain.lower,
      upper: domain.upper,
    };
  },

  async evaluate({ signals, points, curves, mu = 1 }) {
    const { manifest } = opened();
    const missing = curves.find((name) => model.column(name) === undefined);
    if (missing !== undefined) throw new Error(`the bundle has no curve ${missing}`);
    if (!Number.isFinite(mu)) throw new Error("mu is not a finite number");
    const yields = signals ? signals.map((signal) => model.pointOf(signal)) : points.map((row) => model.checked(row));
    const values = await model.evaluate(yields.map((point) => point.map((value) => mu * value)));
    const column = (key, at) => values.map((value) => shown(value[key][at]));
    const byCurve = (key) => Object.fromEntries(curves.map((name) => [name, column(key, model.column(name))]));
    const sigma = manifest.uncertainty.output === undefined ? {} : { sigma: byCurve("sigma") };
    const outside = values.map((value) => value.outside);
    return { reply: "values", delta_nll: byCurve("delta"), ...sigma, out_of_domain: outside };
  },

  async close() {
    opened();
    await close();
    return { reply: "closed" };
  },

  stop() {
    return { reply: "stopped" };
  },
};

/** A double as the protocol has it: JSON has no NaN and no infinities. */
function shown(value) {
  return Number.isFinite(value) ? value : String(value);
}

/** A text for people: of bounded length, control characters escaped. */
function text(value) {
  const escape = (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return String(value).slice(0, 400).toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f]/g, escape);
}

async function answer(line) {
  // A line that cannot be read has no number to repeat.
  let seq = 1;
  try {
    const request = JSON.parse(line);
    const { cmd } = request;
    if (cmd === "start") return COMMANDS.start();
    if (Number.isSafeInteger(request.seq)) seq = request.seq;
    if (!Object.hasOwn(COMMANDS, cmd)) return { reply: "unsupported", seq, what: text(cmd).slice(0, 100) || "?" };
    return { ...(await COMMANDS[cmd](request)), seq };
  } catch (error) {
    if (error instanceof Fault) {
      const { stage, code, pointer, message } = error;
      return { reply: "rejected", seq, stage, code, pointer: text(pointer), message: text(message) };
    }
    console.error(String(error));
    return { reply: "errored", seq, context: { message: text(error?.message ?? error) } };
  }
}

/** The lines of standard input; a JSON string may hold what else is taken for the end of a line. */
async function* lines(stream) {
  let rest = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) {
    const parts = chunk.split("\n");
    parts[0] = rest + parts[0];
    rest = parts.pop();
    yield* parts;
  }
}

for await (const line of lines(process.stdin)) {
  const reply = await answer(line);
  process.stdout.write(`${JSON.stringify(reply)}\n`);
  if (reply.reply === "stopped") break;
}
