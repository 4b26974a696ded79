// Puts the page together where its fragment of HTML stands, from the data in there.

import { readBundle } from "./bundle.mjs";
import { CheckPanel } from "./check_panel.mjs";
import { html } from "./dom.mjs";
import { startEngine } from "./engine.mjs";
import { faultsOf } from "./inspection.mjs";
import { openModel, panelOf } from "./model.mjs";
import style from "./page.css";

class View {
  #host;
  #heading = html("header", {});
  #panel;

  constructor(host) {
    this.#host = host;
  }

  async start() {
    const catalogue = JSON.parse(this.#text("catalogue"));
    // A tree of its own: neither this style nor that of the page around reaches the other.
    const root = this.#host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    const stage = html("div", { class: "stage" }, html("p", { class: "wait" }, "The engine starts …"));
    const body = html("div", {}, this.#heading, stage);
    body.append(new CheckPanel({ root: body, catalogue, explore: (found) => this.#explore(stage, found) }).element);
    root.append(body);
    await this.#attempt(stage, async () => {
      startEngine(await unzipped(bytesOf(this.#text("engine"))));
      const bundle = await readBundle(bytesOf(this.#text("bundle")));
      if (this.#host.dataset.heading !== "none") this.#introduce(bundle);
      await this.#show(stage, { bundle, model: await openModel(bundle) });
    });
  }

  #explore(stage, found) {
    this.#introduce(found.bundle);
    this.#host.scrollIntoView();
    return this.#attempt(stage, () => this.#show(stage, found));
  }

  /** What goes wrong stands where the panel would. */
  async #attempt(stage, job) {
    try {
      await job();
    } catch (error) {
      const line = ({ code, message }) => html("p", { class: "verdict bad" }, html("b", {}, code), ` ${message}`);
      stage.replaceChildren(...faultsOf(error).map(line));
    }
  }

  #text(part) {
    return this.#host.querySelector(`template[data-part=${part}]`).content.textContent;
  }

  #introduce({ manifest }) {
    const { title, id, version, analysis, inputs, parameters } = manifest;
    const { name, experiment, sqrt_s: energy, luminosity } = analysis;
    const about = [
      `${id} ${version}`,
      [experiment, name].filter((part) => part !== undefined).join(" "),
      energy && `√s = ${energy} TeV`,
      luminosity && `${luminosity} fb⁻¹`,
      inputs ? `${inputs.length} bins` : `${parameters.length} parameters`,
    ];
    this.#heading.replaceChildren(
      html("h2", {}, title),
      html("p", {}, about.filter((part) => part !== undefined).join(" · ")),
    );
  }

  async #show(stage, { bundle, model }) {
    const panel = panelOf(model, bundle);
    stage.replaceChildren(panel.element);
    await panel.begin();
    await this.#panel?.close();
    this.#panel = panel;
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
}

async function unzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

for (const host of document.querySelectorAll(".llb-view")) new View(host).start();
