// Tensors of the five element types that graphs of the format compute with.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "fault.hpp"

namespace llb {

using Shape = std::vector<std::int64_t>;
using Bool = std::uint8_t;  // a std::vector<bool> has no elements that one could point at
using Elements = std::variant<std::vector<float>, std::vector<double>, std::vector<std::int32_t>,
                              std::vector<std::int64_t>, std::vector<Bool>>;

struct Tensor {
  Shape shape;
  Elements elements;  // row by row; empty where they are not known
  bool known = true;  // false in a trial run, which computes shapes (see Budget)

  template <class T>
  const std::vector<T>& as() const {
    if (!std::holds_alternative<std::vector<T>>(elements)) {
      throw Fault("graph", "LLB-G002", "", "a tensor has another type than its operator wants");
    }
    return std::get<std::vector<T>>(elements);
  }
};

/// What one run of a graph may take (SECURITY-3), and whether it is a trial: then a tensor whose elements depend on
/// the graph's input, or are much work, has only a shape and a type.
struct Budget {
  static constexpr std::int64_t kElements = std::int64_t{1} << 26;  // of one tensor
  static constexpr std::int64_t kAllElements = std::int64_t{1} << 30;
  static constexpr std::int64_t kWork = std::int64_t{1} << 36;
  static constexpr std::int64_t kTrialWork = std::int64_t{1} << 16;  // of one node that a trial run carries out

  bool trial = false;
  std::int64_t elements = 0;
  std::int64_t work = 0;

  /// Takes what one node needs; throws a Fault if that is too much.
  void take(std::int64_t count, std::int64_t operations) {
    elements += count;
    work += operations;
    if (elements > kAllElements || work > kWork) too_large();
  }

  [[noreturn]] static void too_large() { throw Fault("graph", "LLB-G008", "", "the graph is too large"); }
};

/// The number of elements; throws a Fault if there are more than a tensor may have.
inline std::int64_t count_of(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && count > Budget::kElements / size)) Budget::too_large();
    count *= size;
  }
  return count;
}

}  // namespace llb
