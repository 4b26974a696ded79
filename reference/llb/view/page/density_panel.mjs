// A density at work: parameters are dragged, and ln p and its scan along one of them follow.

import { DensityControls } from "./density_controls.mjs";
import { DensityFigures } from "./density_figures.mjs";
import { card, html, setNumber } from "./dom.mjs";
import { Latest } from "./latest.mjs";
import { normals } from "./normals.mjs";
import { Place } from "./place.mjs";

const STEPS = 160;
const DRAWS = 4096;
const SEED = 20230917;

export class DensityPanel {
  #model;
  #point;
  #condition;
  #scanned;
  #samples;
  #controls;
  #figures;
  #output = html("output", { "data-name": "log_prob" });
  #likelihood = html("output", { "data-name": "log_likelihood" });
  #place = new Place();
  #latest;

  constructor(model) {
    const { parameters, conditions, domain } = model;
    this.#model = model;
    this.#point = domain.lower.map((lower, column) => (lower + domain.upper[column]) / 2);
    this.#condition = conditions.map((_, column) =>
      model.conditionRange(column).reduce((low, high) => (low + high) / 2),
    );
    const poi = parameters.findIndex(({ role }) => role === "poi");
    this.#scanned = Math.max(poi, 0);
    this.#controls = new DensityControls({
      model,
      move: (column, value) => this.#move(column, value),
      condition: (column, value) => {
        this.#condition = this.#condition.with(column, value);
        this.#samples = undefined;
        return this.#update();
      },
      scan: (column) => {
        this.#scanned = column;
        return this.#update();
      },
    });
    this.#figures = new DensityFigures({
      samples: model.has("sample"),
      pick: (value) => this.#move(this.#scanned, value),
    });
    const big = (output) => html("div", { class: "big" }, output);
    const numbers = [card("ln p", big(this.#output), this.#place.element)];
    if (model.offset !== 0) numbers.push(card("ln L, with every constant", big(this.#likelihood)));
    const right = html(
      "div",
      { class: "right" },
      html("section", { class: "numbers" }, ...numbers),
      this.#figures.element,
    );
    this.element = html("div", { class: "panel" }, this.#controls.element, right);
    this.#latest = new Latest(this.element);
  }

  /** Starts at the mean of the samples, or in the middle of the domain. */
  async begin() {
    if (this.#model.has("sample")) {
      const samples = await this.#draw(this.#condition);
      this.#point = this.#point.map((_, column) => samples.reduce((sum, row) => sum + row[column], 0) / samples.length);
    }
    return this.#update();
  }

  close() {
    return this.#model.close();
  }

  #move(column, value) {
    this.#point = this.#point.with(column, value);
    return this.#update();
  }

  #draw(condition) {
    return this.#model.rows("sample", normals(DRAWS, this.#model.parameters.length, SEED), condition);
  }

  #update() {
    return this.#latest.ask(async () => {
      const [point, condition, scanned] = [this.#point, this.#condition, this.#scanned];
      const { domain, offset } = this.#model;
      const [low, high] = [domain.lower[scanned], domain.upper[scanned]];
      const places = Array.from({ length: STEPS + 1 }, (_, at) => low + (at / STEPS) * (high - low));
      const asked = [point, ...places.map((value) => point.with(scanned, value))];
      const [here, ...values] = await this.#model.logProb(asked, condition);
      const samples = this.#model.has("sample") ? (this.#samples ?? (await this.#draw(condition))) : undefined;
      // Dragged on meanwhile: the next job is waiting.
      if (this.#condition !== condition) return;
      this.#samples = samples;
      setNumber(this.#output, here);
      setNumber(this.#likelihood, here + offset);
      this.#place.show(this.#model.isInside(point, condition));
      this.#controls.show({ point, condition, scanned });
      this.#picture({ low, high, places, values, samples, here: { x: point[scanned], y: here }, scanned });
    });
  }

  #picture({ low, high, places, values, samples, here, scanned }) {
    // Not the label, which may be TeX.
    const { name, unit } = this.#model.parameters[scanned];
    const x = { range: [low, high], label: unit === "1" ? name : `${name} / ${unit}` };
    const points = places.map((place, at) => [place, values[at]]);
    this.#figures.showScan(x, points, here);
    if (samples !== undefined)
      this.#figures.showMarginal(
        x,
        samples.map((row) => row[scanned]),
        here,
      );
  }
}
