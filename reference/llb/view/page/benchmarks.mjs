// The bundle's benchmark signals, with what the full statistical model says of them.

/** Signals with yields by column and, where the table has them, the true CLs and limits; empty without a table. */
export function readBenchmarks({ manifest, contents }, bins) {
  const data = contents.get(manifest.validation.benchmarks);
  if (data === undefined) return [];
  const [header, ...rows] = table(new TextDecoder().decode(data));
  return rows.map((row) => {
    const values = new Map(header.map((name, column) => [name, row[column]]));
    const number = (name) => (values.get(name) ? Number(values.get(name)) : NaN);
    return {
      name: values.get("name"),
      yields: bins.map(({ id }) => number(id)),
      truth: {
        cls_observed: number("cls_observed"),
        cls_expected: number("cls_expected"),
        upper_limit_observed: number("upper_limit_observed"),
        upper_limit_expected: number("upper_limit_expected"),
        mu_hat: number("mu_hat"),
      },
    };
  });
}

/** Rows of a CSV document; a field may be quoted. */
function table(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}
