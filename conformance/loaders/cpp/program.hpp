// A graph that passed its audit, and runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifest.hpp"
#include "operators.hpp"

namespace llb {

/// A graph as a list of steps over numbered tensors.
class Program {
 public:
  static constexpr std::size_t kRows = 512;  // of one run at most: the block that SECURITY-3 speaks of

  /// Throws a Fault for a graph that is not the declared one, or breaks GRAPH-2 to GRAPH-6 or SECURITY-3.
  Program(const std::string& bytes, const GraphEntry& declared);

  /// The outputs for an input of up to 512 rows.
  std::vector<Tensor> run(const Tensor& input) const;

 private:
  struct Step {
    Node node;
    const Operator* op;
    std::vector<std::size_t> inputs;  // numbers of tensors; kNone for one that is left out
    std::vector<std::size_t> outputs;
    std::vector<std::size_t> last;  // tensors that nobody needs after this step
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void link(OnnxModel& model);
  std::vector<Tensor> execute(const Tensor& input, bool trial) const;
  void try_shapes(const GraphEntry& declared, std::int64_t rows) const;

  // Tensors are numbered; the input is number 0.
  std::map<std::size_t, Tensor> constants_;
  std::vector<Step> steps_;
  std::vector<std::size_t> outputs_;
  std::size_t tensors_ = 0;
};

}  // namespace llb
