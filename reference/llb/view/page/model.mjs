// The function in a bundle, by its family.

import { Density } from "./density.mjs";
import { DensityPanel } from "./density_panel.mjs";
import { Likelihood } from "./likelihood.mjs";
import { ProfilePanel } from "./profile_panel.mjs";

export function openModel(bundle) {
  return (bundle.manifest.family === "profile_likelihood" ? Likelihood : Density).open(bundle);
}

export function panelOf(model, bundle) {
  return model instanceof Likelihood ? new ProfilePanel(model, bundle) : new DensityPanel(model);
}
