// The test vectors of a bundle, with which a loader tries itself: whoever gets other numbers refuses the bundle.
#pragma once

#include <string>
#include <vector>

#include "manifest.hpp"

namespace llb {

class Likelihood;

class Vectors {
 public:
  /// Throws a Fault for a document that cannot be used with this manifest.
  Vectors(const std::string& text, const Manifest& manifest);

  /// Throws a Fault unless the likelihood reproduces the vectors and is what section 11 promises, as far as they and
  /// the corners of the domain show it.
  void check(const Likelihood& likelihood) const;

 private:
  double absolute_;  // tolerance of VECTORS-6
  double relative_;
  std::vector<std::vector<double>> points_;    // the cases, by column
  std::vector<std::vector<double>> expected_;  // by column of the graph's output, then by case
  std::vector<bool> zero_;                     // whether a case is the zero signal
  std::string path_;
};

}  // namespace llb
