// JSON as CONTAINER-6 and CONTAINER-7 want it. JSON.parse takes keys twice, numbers that overflow and halves of
// surrogate pairs, and so could read another document than the next reader does.

import { Fault } from "./fault.mjs";

const MAX_DEPTH = 64;
const MARKS = [[0xef, 0xbb, 0xbf], [0xff, 0xfe], [0xfe, 0xff]];
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))/y;
const ESCAPED = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** The value of a document; its objects have no prototype, so that no key means anything by itself. */
export function parseStrictly(bytes, { path, stage, maxBytes }) {
  const refuse = (code, message) => {
    throw new Fault(stage, code, path, message);
  };
  if (bytes.length > maxBytes) refuse("LLB-P008", `the document has more than ${maxBytes} bytes`);
  if (MARKS.some((mark) => mark.every((byte, at) => bytes[at] === byte))) {
    refuse("LLB-P002", "the document starts with a byte order mark");
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    refuse("LLB-P001", "the document is not UTF-8");
  }
  return new Parser(text, refuse).document();
}

class Parser {
  #text;
  #refuse;
  #at = 0;

  constructor(text, refuse) {
    this.#text = text;
    this.#refuse = refuse;
  }

  document() {
    const value = this.#value(0);
    this.#match(SPACE);
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #value(depth) {
    this.#match(SPACE);
    const first = this.#text[this.#at];
    if (first === "{" || first === "[") {
      if (depth === MAX_DEPTH) this.#refuse("LLB-P007", `the document has more than ${MAX_DEPTH} levels`);
      return first === "{" ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    if (first === '"') return this.#string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.#skip(word)) return value;
    }
    if (["NaN", "Infinity", "-Infinity"].some((word) => this.#skip(word))) {
      this.#refuse("LLB-P004", "NaN and Infinity are not JSON");
    }
    return this.#number();
  }

  #object(depth) {
    const object = Object.create(null);
    this.#list("{", "}", () => {
      this.#match(SPACE);
      const key = this.#string();
      if (key in object) this.#refuse("LLB-P006", `the key ${JSON.stringify(key)} is there twice`);
      this.#match(SPACE);
      if (!this.#skip(":")) this.#fail();
      object[key] = this.#value(depth);
    });
    return object;
  }

  #array(depth) {
    const array = [];
    this.#list("[", "]", () => array.push(this.#value(depth)));
    return array;
  }

  #list(opening, closing, item) {
    this.#skip(opening);
    this.#match(SPACE);
    if (this.#skip(closing)) return;
    do {
      item();
      this.#match(SPACE);
    } while (this.#skip(","));
    if (!this.#skip(closing)) this.#fail();
  }

  #string() {
    if (!this.#skip('"')) this.#fail();
    let value = this.#match(PLAIN)[0];
    while (!this.#skip('"')) {
      const [, letter, unit] = this.#match(ESCAPE) ?? this.#fail();
      value += letter === undefined ? String.fromCharCode(parseInt(unit, 16)) : ESCAPED[letter];
      value += this.#match(PLAIN)[0];
    }
    if (!value.isWellFormed()) this.#refuse("LLB-P009", "a string holds half of a surrogate pair");
    return value;
  }

  #number() {
    const value = Number((this.#match(NUMBER) ?? this.#fail())[0]);
    if (!Number.isFinite(value)) this.#refuse("LLB-P005", "a number is beyond the range of a double");
    // Whether a number is an integer is asked of its value: 1.0 and 1e300 are integers.
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.#refuse("LLB-P005", "an integer has an absolute value of 2^53 or more");
    }
    return value;
  }

  #match(pattern) {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #skip(word) {
    const found = this.#text.startsWith(word, this.#at);
    if (found) this.#at += word.length;
    return found;
  }

  #fail() {
    this.#refuse("LLB-P003", `the document is not JSON at character ${this.#at}`);
  }
}
