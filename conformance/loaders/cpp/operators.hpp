// The operators that graphs of the format may use (GRAPH-5), as ai.onnx has them from opset 17 to 21.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "onnx.hpp"
#include "tensor.hpp"

namespace llb {

/// One call of an operator, for one of its outputs.
struct Call {
  const Node& node;
  const std::vector<const Tensor*>& inputs;  // nullptr for one that is left out
  std::size_t output;
  Budget& budget;
};

struct Operator {
  static constexpr std::size_t kMany = 200000;

  std::size_t least_inputs;
  std::size_t most_inputs;
  const char* attributes;     // names and types: `i`nteger, `I`ntegers, `f`loat, `F`loats, `t`ensor
  Tensor (*run)(Call& call);  // nullptr for Constant, which only holds its attribute
};

/// The operator of that name in an opset, or nullptr if graphs must not use it.
const Operator* find_operator(const std::string& name, std::int64_t opset);

// The two parts of the list, by name. Where an opset changed an operator, it is there again as `name opset`.
std::map<std::string, Operator> arithmetic_operators();
std::map<std::string, Operator> layout_operators();

}  // namespace llb
