// The numbers of a signal, by the names that `llb limit` and `llb eval` have for them.

import { N_SIGMA } from "./asymptotics.mjs";
import { card, html, setNumber, shown } from "./dom.mjs";
import { Place } from "./place.mjs";

export class ProfileNumbers {
  #outputs = new Map();
  #truths = new Map();
  #place = new Place();
  #note = html("p", { class: "small" });

  constructor(curves) {
    const big = (name) => html("div", { class: "big" }, this.#output(name), this.#truth(name));
    const band = (name) => {
      const range = html("div", {}, "±1σ ", this.#output(`${name}_band`));
      return html("div", { class: "small" }, "expected ", this.#output(name), this.#truth(name), range);
    };
    const delta = curves.map(({ name, alias_of: alias }) => {
      const label = html("th", { scope: "row", class: name }, name);
      if (alias !== undefined) label.title = `tested to agree with ${alias}`;
      return html(
        "tr",
        {},
        label,
        html("td", {}, this.#output(`delta_nll_${name}`)),
        html("td", {}, this.#output(`sigma_${name}`)),
      );
    });
    this.element = html(
      "section",
      { class: "numbers" },
      card("95 % CL limit on μ", big("upper_limit_observed"), band("upper_limit_expected")),
      card(["CLs at μ = ", this.#output("mu")], big("cls_observed"), band("cls_expected")),
      card("best fit μ̂", big("mu_hat"), this.#place.element, this.#note),
      card(["Δ NLL at μ = ", this.#output("mu_again")], html("table", {}, ...delta)),
    );
  }

  #output(name) {
    const output = html("output", { "data-name": name });
    this.#outputs.set(name, output);
    return output;
  }

  #truth(name) {
    const truth = html("span", { class: "truth" });
    this.#truths.set(name, truth);
    return truth;
  }

  /** `found` has the numbers; `truth`, where there is one, those of the full statistical model. */
  show({ mu, delta, sigma, limits, edge, band, truth, isInside }) {
    const set = (name, ...value) => setNumber(this.#outputs.get(name), ...value);
    set("mu", mu, plain(mu));
    set("mu_again", mu, plain(mu));
    set("upper_limit_observed", limits.upper, marked(limits.upper, edge));
    set("upper_limit_expected", limits.band, marked(limits.band[2], edge));
    set("upper_limit_expected_band", null, between(limits.band));
    set("cls_observed", limits.cls);
    set("cls_expected", limits.clsBand, shown(limits.clsBand[2]));
    set("cls_expected_band", null, between(limits.clsBand));
    set("mu_hat", limits.best, marked(limits.best, edge));
    for (const [name, value] of Object.entries(delta)) {
      set(`delta_nll_${name}`, value);
      set(`sigma_${name}`, sigma[name] ?? null, sigma[name] === undefined ? "" : `± ${shown(sigma[name], 2)}`);
    }
    for (const [name, element] of this.#truths) {
      const value = band === "apriori" && name.endsWith("_expected") ? NaN : (truth?.[name] ?? NaN);
      element.textContent = Number.isNaN(value) ? "" : `full model ${shown(value)}`;
    }
    this.#place.show(isInside);
    const isMarked = [limits.upper, limits.band[2], limits.best].some((value) => isBeyond(value, edge));
    this.#note.textContent = isMarked ? "† from beyond the domain" : "";
  }
}

/** A number, with a mark where it comes from beyond the domain. */
function marked(value, edge) {
  return isBeyond(value, edge) ? `${shown(value)} †` : shown(value);
}

function isBeyond(value, edge) {
  return Number.isFinite(value) && value > edge;
}

/** Without zeros at the end. */
function plain(value) {
  return String(Number(value.toPrecision(4)));
}

/** The band from -1 to +1 standard deviation. */
function between(values) {
  const [low, high] = [-1, 1].map((sigmas) => values[N_SIGMA.indexOf(sigmas)]);
  return Number.isNaN(low) ? "" : `[${shown(low, 3)}, ${shown(high, 3)}]`;
}
