#include "likelihood.hpp"

#include <algorithm>

#include "bundle.hpp"
#include "fault.hpp"
#include "strict_json.hpp"
#include "vectors.hpp"

namespace llb {
namespace {

constexpr std::size_t kManifestBytes = std::size_t{4} << 20;

/// Rows of points, in the precision of the graph.
template <class T>
Tensor as_tensor(const Points& points, std::size_t first, std::size_t rows, std::size_t columns) {
  std::vector<T> elements;
  elements.reserve(rows * columns);
  for (std::size_t row = first; row < first + rows; ++row) {
    for (const double events : points[row]) elements.push_back(static_cast<T>(events));
  }
  return {{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, std::move(elements), true};
}

/// Appends the columns of an output.
void append(const Tensor& output, std::vector<std::vector<double>>& columns) {
  columns.resize(static_cast<std::size_t>(output.shape[1]));
  std::visit(
      [&](const auto& elements) {
        for (std::size_t i = 0; i < elements.size(); ++i) {
          columns[i % columns.size()].push_back(static_cast<double>(elements[i]));
        }
      },
      output.elements);
}

}  // namespace

Likelihood::Likelihood(const std::string& path) {
  const Directory directory(path);
  manifest_ = read_manifest(parse_strict(directory.read(kManifest), kManifestBytes, "archive", kManifest));
  const auto files = directory.read_listed(manifest_);
  const Vectors vectors(files.at(manifest_.vectors), manifest_);
  for (const GraphEntry& graph : manifest_.graphs) {
    try {
      auto program = std::make_unique<Program>(files.at(graph.path), graph);
      // The twin in single precision is checked as well, and never evaluated (GRAPH-1).
      if (program_ == nullptr) program_ = std::move(program);
    } catch (Fault& fault) {
      fault.place = graph.path;
      throw;
    }
  }
  vectors.check(*this);
}

Values Likelihood::evaluate(const Points& points) const {
  const GraphEntry& graph = manifest_.graphs[0];
  const std::size_t bins = manifest_.bins.size();
  Values values;
  for (std::size_t first = 0; first < points.size(); first += Program::kRows) {
    const std::size_t rows = std::min(Program::kRows, points.size() - first);
    const Tensor input = graph.input.single ? as_tensor<float>(points, first, rows, bins)
                                            : as_tensor<double>(points, first, rows, bins);
    const std::vector<Tensor> outputs = program_->run(input);
    append(outputs[0], values.delta_nll);
    if (manifest_.sigma != 0) append(outputs[manifest_.sigma], values.sigma);
  }
  for (std::size_t row = 0; row < points.size(); ++row) {
    // Written so that NaN is outside.
    bool inside = true;
    for (std::size_t column = 0; column < bins; ++column) {
      const double events = points[row][column];
      inside = inside && events >= manifest_.lower[column] && events <= manifest_.upper[column];
    }
    for (const auto& column : values.delta_nll) inside = inside && column[row] <= manifest_.delta_nll_max;
    values.outside.push_back(!inside);
  }
  return values;
}

}  // namespace llb
