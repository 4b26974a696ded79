// An open bundle: Delta NLL of signals, after every check.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manifest.hpp"
#include "program.hpp"

namespace llb {

/// Numbers of some points.
struct Values {
  std::vector<std::vector<double>> delta_nll;  // by column of the graph's output, then by point
  std::vector<std::vector<double>> sigma;      // the stated error likewise; empty where there is none
  std::vector<bool> outside;                   // of the domain, by point
};

using Points = std::vector<std::vector<double>>;  // rows of events by column

class Likelihood {
 public:
  /// Opens a bundle directory; throws a Fault if it is refused, and Unsupported for an archive.
  explicit Likelihood(const std::string& path);

  const Manifest& manifest() const { return manifest_; }

  /// The graph's values at points, inside the domain or outside of it.
  Values evaluate(const Points& points) const;

 private:
  Manifest manifest_;
  std::unique_ptr<Program> program_;
};

}  // namespace llb
