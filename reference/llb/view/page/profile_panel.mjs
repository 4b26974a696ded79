// A profile likelihood at work: a signal is chosen or dragged, and its curves, CLs and limits follow.

import { readBenchmarks } from "./benchmarks.mjs";
import { html } from "./dom.mjs";
import { outsideOf } from "./domain.mjs";
import { Latest } from "./latest.mjs";
import { BANDS, Exclusion } from "./limits.mjs";
import { ProfileFigures } from "./profile_figures.mjs";
import { ProfileNumbers } from "./profile_numbers.mjs";
import { Ray } from "./rays.mjs";
import { roundedUp } from "./round_numbers.mjs";
import { SignalControls } from "./signal_controls.mjs";

const LEVEL = 0.95;
const BEYOND = 3;

export class ProfilePanel {
  #model;
  #benchmarks;
  #controls;
  #numbers;
  #figures;
  #latest;
  #band = "expected";
  #yields;
  #mu = 1;
  #ray;

  constructor(model, bundle) {
    const { bins, domain, manifest } = model;
    this.#model = model;
    this.#benchmarks = readBenchmarks(bundle, bins).filter(({ yields }) => yields.every(Number.isFinite));
    this.#controls = new SignalControls({
      bins,
      domain,
      benchmarks: this.#benchmarks,
      change: (column, value) => this.#start(this.#yields.with(column, value)),
      strengthen: (mu) => this.#strengthen(mu),
      choose: (benchmark) => this.#start(benchmark?.yields ?? bins.map(() => 0), 1),
    });
    this.#numbers = new ProfileNumbers(manifest.curves);
    this.#figures = new ProfileFigures({
      bins,
      curves: manifest.curves,
      pick: (mu) => this.#strengthen(Math.max(mu, 0)),
    });
    const bands = Object.keys(BANDS).filter((name) => model.column(BANDS[name]) !== undefined);
    this.#controls.question.append(...this.#bandChoice(bands));
    const left = html("div", { class: "left" }, this.#controls.question, this.#controls.yields);
    const right = html("div", { class: "right" }, this.#numbers.element, this.#figures.element);
    this.element = html("div", { class: "panel" }, left, right);
    this.#latest = new Latest(this.element);
  }

  /** Shows the benchmark whose observed limit is closest to 1, or a small signal. */
  begin() {
    const distance = ({ truth }) => Math.abs(Math.log(truth.upper_limit_observed));
    const ranked = this.#benchmarks
      .filter((one) => Number.isFinite(distance(one)))
      .sort((one, other) => distance(one) - distance(other));
    const { upper } = this.#model.domain;
    return this.#start(
      (ranked[0] ?? this.#benchmarks[0])?.yields ?? upper.map((value) => Number((0.1 * value).toPrecision(2))),
      1,
    );
  }

  close() {
    return this.#model.close();
  }

  #bandChoice(bands) {
    if (bands.length < 2) {
      this.#band = bands[0] ?? "expected";
      return [];
    }
    const words = { expected: "a posteriori", apriori: "a priori" };
    const group = `band-${crypto.randomUUID()}`;
    const options = bands.map((name) => {
      const change = () => {
        this.#band = name;
        return this.#update();
      };
      const input = html("input", { type: "radio", name: group, value: name, checked: name === this.#band, change });
      return html("label", { title: `from the curve ${BANDS[name]}` }, input, words[name]);
    });
    return [html("fieldset", { class: "band" }, html("legend", {}, "expected"), ...options)];
  }

  #start(yields, mu = this.#mu) {
    this.#yields = yields;
    this.#mu = mu;
    this.#ray = undefined;
    return this.#update();
  }

  #strengthen(mu) {
    this.#mu = mu;
    return this.#update();
  }

  #update() {
    return this.#latest.ask(async () => {
      const [yields, mu] = [this.#yields, this.#mu];
      const point = yields.map((value) => mu * value);
      const found = await this.#model.evaluate(point);
      const ray = this.#ray ?? (await this.#along(yields));
      // Dragged on meanwhile: the next job is waiting.
      if (this.#yields !== yields) return;
      this.#ray = ray;
      this.#show({ yields, mu, point, found, ...ray });
    });
  }

  /** What does not change with mu: the ray, its limits, and how far along it the figures go. */
  async #along(yields) {
    const ray = await Ray.along(this.#model, yields);
    const exclusion = new Exclusion(ray, LEVEL);
    const upper = exclusion.upperLimit;
    const bands = Object.fromEntries(Object.keys(BANDS).map((name) => [name, exclusion.upperLimits(name)]));
    const ends = [upper, ...Object.values(bands).map((band) => band[4])].filter(
      (value) => Number.isFinite(value) && value > 0,
    );
    const far = ends.length > 0 ? Math.max(...ends) * 1.25 : Number.isFinite(ray.edge) && ray.edge > 0 ? ray.edge : 2;
    // Beyond the domain nothing was learned; the figures go on a little.
    return { ray, exclusion, upper, bands, far: roundedUp(ray.edge > 0 ? Math.min(far, BEYOND * ray.edge) : far) };
  }

  #show({ yields, mu, point, found, ray, exclusion, upper, bands, far }) {
    const { curves } = this.#model.manifest;
    const name = this.#band;
    const chosen = this.#benchmarks.findIndex((one) => one.yields.every((value, column) => value === yields[column]));
    const limits = {
      upper,
      band: bands[name],
      cls: exclusion.observed(mu),
      clsBand: exclusion.band(name, mu),
      best: exclusion.best.mu,
    };
    const byCurve = (values) => Object.fromEntries(curves.map((curve) => [curve.name, values?.[curve.column]]));
    const top = mu > far ? roundedUp(mu * 1.05) : far;
    const truth = { ...this.#benchmarks[chosen]?.truth };
    if (mu !== 1) Object.assign(truth, { cls_observed: NaN, cls_expected: NaN });
    this.#controls.show({ yields, mu, top, chosen, outside: outsideOf(this.#model.domain, point) });
    this.#numbers.show({
      mu,
      delta: byCurve(found.delta),
      sigma: byCurve(found.sigma),
      limits,
      edge: ray.edge,
      band: name,
      truth,
      isInside: found.isInside,
    });
    this.#figures.show({ ray, exclusion, mu, limits, band: name, top });
    this.#figures.showEvents(point);
  }
}
