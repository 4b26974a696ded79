// Figures of a profile likelihood: Delta NLL and CLs along mu, and the events of the bins.

import { html } from "./dom.mjs";
import { Plot } from "./plot.mjs";
import { roundedUp } from "./round_numbers.mjs";

const STEPS = 160;
const DECISION = 6;

export class ProfileFigures {
  #delta;
  #cls;
  #events;
  #bins;
  #curves;

  constructor({ bins, curves, pick }) {
    this.#bins = bins;
    this.#curves = curves;
    this.#delta = new Plot({ title: "Δ NLL", label: "Delta NLL of every curve along mu", pick });
    this.#cls = new Plot({ title: "CLs", label: "CLs along mu, with the expected band", pick });
    this.#events = new Plot({ title: "Events", label: "Events in every bin", height: 180 });
    this.element = html("div", { class: "figures" }, this.#delta.element, this.#cls.element, this.#events.element);
  }

  /** Draws what is known of a ray: `exclusion` at its mu, limits, the chosen band and the ends of the figure. */
  show({ ray, exclusion, mu, limits, band, top }) {
    const x = { range: [0, top], label: "signal strength μ" };
    const places = Array.from({ length: STEPS + 1 }, (_, at) => (at / STEPS) * top);
    const beyond = { kind: "zone", from: ray.edge, to: top, style: "beyond", name: "beyond the domain" };
    this.#showDelta(x, places, beyond, { ray, exclusion, mu });
    this.#showCls(x, places.slice(1), beyond, { exclusion, mu, limits, band });
  }

  #showDelta(x, places, beyond, { ray, exclusion, mu }) {
    const lines = this.#curves
      .filter(({ alias_of: alias }) => alias === undefined)
      .map(({ name }) => {
        return { kind: "line", points: places.map((place) => [place, ray.at(name, place)]), style: name };
      });
    const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
    const low = Math.min(0, ...values);
    const high = Math.min(Math.max(...values, 0.5), DECISION);
    const y = { range: [low < 0 ? low * 1.15 : -0.03 * high, high * 1.04], label: "Δ NLL" };
    const { mu: best, value } = exclusion.best;
    this.#delta.draw({
      x,
      y,
      layers: [
        beyond,
        ...lines,
        { kind: "dot", x: best, y: value, style: "observed" },
        { kind: "handle", x: mu },
      ],
      legend: this.#curves.map(({ name, alias_of: alias }) => {
        return { name: alias === undefined ? name : `${name} = ${alias}`, style: alias ?? name };
      }),
    });
  }

  #showCls(x, places, beyond, { exclusion, mu, limits, band }) {
    const rows = places.map((place) => ({
      place,
      values: exclusion.band(band, place),
      seen: exclusion.observed(place),
    }));
    const between = (low, high) => rows.map(({ place, values }) => [place, values[low], values[high]]);
    const line = (style, value) => ({ kind: "line", points: rows.map((row) => [row.place, value(row)]), style });
    this.#cls.draw({
      x,
      y: { range: [0, 1.02], label: "CLs" },
      layers: [
        { kind: "band", points: between(0, 4), style: "two-sigma" },
        { kind: "band", points: between(1, 3), style: "one-sigma" },
        beyond,
        line("expected", ({ values }) => values[2]),
        line("observed", ({ seen }) => seen),
        { kind: "across", y: 0.05, style: "level", name: "95 % CL" },
        { kind: "dot", x: limits.upper, y: 0.05, style: "observed" },
        { kind: "dot", x: limits.band[2], y: 0.05, style: "expected" },
        { kind: "handle", x: mu },
      ],
      legend: [
        { name: "observed", style: "observed" },
        { name: band === "expected" ? "expected" : "a-priori expected", style: "expected" },
        { name: "±1σ", style: "one-sigma" },
        { name: "±2σ", style: "two-sigma" },
      ],
    });
  }

  /** The events of every bin: observed, nominal background, and what the signal adds. */
  showEvents(point) {
    const place = (count) => Math.log10(Math.max(count, 0.1));
    const tops = this.#bins.map(({ observed, background }, column) =>
      Math.max(observed + Math.sqrt(observed), background, background + point[column]),
    );
    const high = place(roundedUp(1.6 * Math.max(...tops, 1)));
    const bars = this.#bins.flatMap(({ observed, background }, x) => {
      const total = background + point[x];
      return [
        { kind: "bar", x, low: -1, high: place(background), width: 0.8, style: "background" },
        {
          kind: "bar",
          x,
          low: place(background),
          high: place(total),
          width: 0.8,
          style: point[x] < 0 ? "signal less" : "signal",
        },
        {
          kind: "whisker",
          x,
          low: place(observed - Math.sqrt(observed)),
          high: place(observed + Math.sqrt(observed)),
          style: "observed",
        },
        { kind: "dot", x, y: place(observed), style: "observed" },
      ];
    });
    const powers = Array.from({ length: Math.floor(high) + 2 }, (_, at) => at - 1).filter((power) => power <= high);
    this.#events.draw({
      x: { range: [-0.5, this.#bins.length - 0.5], ticks: [], names: this.#bins.map(({ id }) => id) },
      y: { range: [-1, high], label: "events", ticks: powers.map((value) => ({ value, name: String(10 ** value) })) },
      layers: bars,
      legend: [
        { name: "observed", style: "observed dots" },
        { name: "background", style: "background" },
        { name: "signal × μ", style: "signal" },
      ],
    });
  }
}
