// A number that is dragged or typed: a slider and a field that follow each other.

import { html } from "./dom.mjs";
import { roundStep } from "./round_numbers.mjs";

const STEPS = 500;

export class Slider {
  #range = html("input", { type: "range", input: () => this.#moved(Number(this.#range.value)) });
  #field = html("input", { type: "number", step: "any", change: () => this.#typed() });
  #change;

  /** `name` is what it is called by people and in `data-input`; `change` is told the number that was chosen. */
  constructor({ name, label, change }) {
    this.#change = change;
    for (const input of [this.#range, this.#field]) {
      input.setAttribute("aria-label", name);
      input.dataset.input = name;
    }
    this.element = html("div", { class: "slider" }, label, this.#range, this.#field);
  }

  /** The ends of the slider, outside of which a number can still be typed. */
  set bounds([low, high]) {
    const step = roundStep((high - low) / STEPS);
    Object.assign(this.#range, { min: Math.floor(low / step) * step, max: Math.ceil(high / step) * step, step });
  }

  set value(value) {
    this.#range.value = value;
    // Digits beyond a thousandth of a step are nobody's choice.
    const digits = Math.ceil(Math.log10(Math.max(Math.abs(value), Number.MIN_VALUE) / this.#range.step)) + 3;
    this.#field.value = Number(value.toPrecision(Math.min(Math.max(digits, 4), 15)));
  }

  set isOutside(isOutside) {
    this.element.classList.toggle("outside", isOutside);
  }

  #moved(value) {
    const rounded = Number(value.toPrecision(9));
    this.#field.value = rounded;
    this.#change(rounded);
  }

  #typed() {
    const value = this.#field.valueAsNumber;
    if (!Number.isFinite(value)) return;
    this.#range.value = value;
    this.#change(value);
  }
}
