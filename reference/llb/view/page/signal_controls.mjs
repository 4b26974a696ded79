// What is asked: a benchmark signal to start from, the signal strength, and the yield of every bin.

import { html, shown } from "./dom.mjs";
import { Slider } from "./slider.mjs";

// Sliders reach a little beyond the domain, so that its end is seen.
const BEYOND = 1.1;

/** `question` holds the signal and mu, `yields` the bins. */
export class SignalControls {
  #bins;
  #sliders;
  #strength;
  #choice;

  /** `change` is told the yields, `strengthen` mu, `choose` a benchmark. */
  constructor({ bins, domain, benchmarks, change, strengthen, choose }) {
    this.#bins = bins;
    this.#strength = new Slider({ name: "mu", label: html("label", { class: "mu" }, "μ"), change: strengthen });
    this.#choice = html(
      "select",
      { "aria-label": "signal", change: () => choose(benchmarks[Number(this.#choice.value)]) },
      ...benchmarks.map(({ name }, row) => html("option", { value: row }, name)),
      html("option", { value: -1, disabled: true, hidden: true }, "your own signal"),
    );
    this.#sliders = bins.map(({ id, role, observed, background }, column) => {
      const about = `observed ${observed}, background ${shown(background)}`;
      const marks = html("small", { title: "observed / nominal background" }, `${observed} / ${shown(background, 3)}`);
      const label = html(
        "label",
        { title: `${id}: ${about}` },
        html("b", { class: role }, role),
        html("span", {}, id),
        marks,
      );
      const slider = new Slider({ name: id, label, change: (value) => change(column, value) });
      slider.bounds = [domain.lower[column] * BEYOND, domain.upper[column] * BEYOND];
      return slider;
    });
    const clear = html("button", { type: "button", click: () => choose(undefined) }, "no signal");
    const start = benchmarks.length > 0 ? html("label", { class: "start" }, "signal", this.#choice) : undefined;
    this.question = html(
      "section",
      { class: "question" },
      html("div", { class: "row" }, start, clear),
      this.#strength.element,
    );
    this.yields = html(
      "section",
      { class: "columns" },
      html("h3", {}, "events at μ = 1", html("small", {}, "observed / background")),
      ...this.#sliders.map(({ element }) => element),
    );
  }

  /** Shows a signal; `chosen` is the number of the benchmark that it is, or -1. */
  show({ yields, mu, top, chosen, outside }) {
    this.#strength.bounds = [0, top];
    this.#strength.value = mu;
    this.#choice.value = chosen;
    this.#sliders.forEach((slider, column) => {
      slider.value = yields[column];
      slider.isOutside = outside[column];
    });
  }
}
