// Another bundle, dropped on the page: opened, checked and, if it is good, shown.

import { html } from "./dom.mjs";
import { faultsOf, inspect } from "./inspection.mjs";

export class CheckPanel {
  #catalogue;
  #explore;
  #result = html("div", { class: "result", role: "status" });

  /** `catalogue` has title and cure by code; `explore` takes a bundle and its model that were found good. */
  constructor({ root, catalogue, explore }) {
    this.#catalogue = catalogue;
    this.#explore = explore;
    const picker = html("input", { type: "file", accept: ".zip", change: () => this.#picked(picker) });
    const button = html("label", { class: "button" }, "choose a file", picker);
    const invitation = html(
      "p",
      { class: "drop" },
      "Drop another bundle (.llb.zip) on the page to check it, or ",
      button,
    );
    const place = html("p", { class: "small" }, "Everything runs in this page, by onnxruntime-web. Nothing leaves it.");
    this.element = html("section", { class: "check" }, invitation, this.#result, place);
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("dragging");
    });
    root.addEventListener("dragleave", () => root.classList.remove("dragging"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.classList.remove("dragging");
      const [file] = event.dataTransfer.files;
      if (file !== undefined) this.check(file);
    });
  }

  #picked(picker) {
    const [file] = picker.files;
    // Or the same file, mended, would be no change.
    picker.value = "";
    return file && this.check(file);
  }

  async check(file) {
    this.#result.dataset.state = "busy";
    this.#result.replaceChildren(html("p", {}, `${file.name} is being checked …`));
    const steps = [];
    try {
      const found = await inspect(file, (step) => steps.push(step));
      const open = html("button", { type: "button", click: () => this.#explore(found) }, "show this bundle");
      const faults = found.faults;
      const verdict = faults.length === 0 ? "keeps what it says" : "does not keep what it says";
      this.#say(file, steps, faults, verdict, faults.length === 0 ? open : undefined);
      if (faults.length > 0) await found.model?.close();
    } catch (error) {
      this.#say(file, steps, faultsOf(error), "cannot be read");
    }
    this.#result.dataset.state = "idle";
  }

  #say(file, steps, faults, verdict, button) {
    const style = faults.length === 0 ? "verdict good" : "verdict bad";
    this.#result.replaceChildren(
      html("p", { class: style }, html("b", {}, file.name), ` ${verdict} `, button),
      html("ul", {}, ...steps.map((step) => html("li", {}, step))),
      html("ol", { class: "findings" }, ...faults.slice(0, 50).map((fault) => this.#finding(fault))),
    );
  }

  #finding({ code, pointer, message, expected, actual }) {
    const { title, hint } = this.#catalogue[code] ?? {};
    const numbers = [
      ["expected", expected],
      ["got", actual],
    ].filter(([, text]) => text !== undefined);
    return html(
      "li",
      { "data-code": code },
      html("b", {}, code),
      ` ${message || title}`,
      pointer ? html("code", {}, pointer) : undefined,
      ...numbers.map(([word, text]) => html("div", {}, `${word} `, html("code", {}, text))),
      hint ? html("div", { class: "hint" }, hint) : undefined,
    );
  }
}
