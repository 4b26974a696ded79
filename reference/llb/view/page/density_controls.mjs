// What is asked of a density: its conditions, the value of every parameter, and along which one it is scanned.

import { outsideOf } from "./domain.mjs";
import { html } from "./dom.mjs";
import { Slider } from "./slider.mjs";

export class DensityControls {
  #domain;
  #parameters;
  #conditions;
  #choice;

  /** `move` is told the column and value of a parameter, `condition` those of a condition, `scan` a column. */
  constructor({ model, move, condition, scan }) {
    this.#domain = model.domain;
    this.#parameters = model.parameters.map((one, column) => {
      const bounds = [model.domain.lower[column], model.domain.upper[column]];
      return sliderOf(one, bounds, (value) => move(column, value));
    });
    this.#conditions = model.conditions.map((one, column) => {
      return sliderOf(one, model.conditionRange(column), (value) => condition(column, value));
    });
    this.#choice = html(
      "select",
      { "aria-label": "scanned parameter", change: () => scan(Number(this.#choice.value)) },
      ...model.parameters.map(({ name }, column) => html("option", { value: column }, name)),
    );
    this.element = html(
      "div",
      { class: "left" },
      html("section", { class: "question" }, html("label", { class: "start" }, "scan", this.#choice)),
      ...group("conditions", this.#conditions),
      ...group("parameters", this.#parameters),
    );
  }

  show({ point, condition, scanned }) {
    this.#choice.value = scanned;
    const outside = outsideOf(this.#domain, point);
    this.#parameters.forEach((slider, column) => {
      slider.value = point[column];
      slider.isOutside = outside[column];
    });
    this.#conditions.forEach((slider, column) => {
      slider.value = condition[column];
    });
  }
}

function group(title, sliders) {
  if (sliders.length === 0) return [];
  return [html("section", { class: "columns" }, html("h3", {}, title), ...sliders.map(({ element }) => element))];
}

function sliderOf({ name, unit, role }, bounds, change) {
  const mark = role && html("b", { class: role }, role === "poi" ? "POI" : "NP");
  const about = html("small", {}, unit === "1" ? "" : unit);
  const label = html("label", { title: name }, mark, html("span", {}, name), about);
  const slider = new Slider({ name, label, change });
  slider.bounds = bounds;
  return slider;
}
