"use strict";
const form = document.getElementById("search");
const rows = [...document.querySelectorAll("#bundles tbody tr")];
const count = document.getElementById("count");

function shown(row) {
  const words = form.elements.words.value.toLowerCase().split(/\s+/);
  const family = form.elements.family.value;
  const curve = form.elements.curve.value;
  const most = parseFloat(form.elements.most.value);
  const error = parseFloat(row.dataset.error);
  return words.every((word) => row.dataset.words.includes(word))
    && (!family || row.dataset.family === family)
    && (!curve || row.dataset.curves.split(" ").includes(curve))
    && (!(most >= 0) || error <= most);
}

function search() {
  let left = 0;
  for (const row of rows) {
    row.hidden = !shown(row);
    left += row.hidden ? 0 : 1;
  }
  count.textContent = left === rows.length ? `${left} bundles` : `${left} of ${rows.length} bundles`;
}

form.hidden = false;
form.addEventListener("input", search);
form.addEventListener("reset", () => setTimeout(search));
form.addEventListener("submit", (event) => event.preventDefault());
search();
