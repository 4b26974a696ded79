// Whether the point that is shown lies where the bundle was trained.

import { html } from "./dom.mjs";

export class Place {
  element = html("p", { class: "place", role: "status" });

  show(isInside) {
    this.element.className = isInside ? "place inside" : "place outside";
    this.element.textContent = isInside ? "inside the domain" : "outside of the domain: nothing was learned here";
  }
}
