// What all operators are made of: the call, new tensors, and walks through them.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include "operators.hpp"

namespace llb {

[[noreturn]] inline void misfit(const char* message) { throw Fault("graph", "LLB-G002", "", message); }
[[noreturn]] inline void fails(const char* message) { throw Fault("numbers", "LLB-G015", "", message); }

template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<T>;
template <class T>
constexpr bool kIsNumber = !std::is_same_v<T, Bool>;

// ---- what a call says

inline const Tensor* optional_input(const Call& call, std::size_t i) {
  return i < call.inputs.size() ? call.inputs[i] : nullptr;
}

inline const Tensor& input(const Call& call, std::size_t i) {
  const Tensor* tensor = optional_input(call, i);
  if (tensor == nullptr) misfit("an input is missing");
  return *tensor;
}

inline const Attribute* attribute(const Call& call, const char* name) {
  const auto found = call.node.attributes.find(name);
  return found == call.node.attributes.end() ? nullptr : &found->second;
}

inline std::int64_t integer(const Call& call, const char* name, std::int64_t otherwise) {
  const Attribute* found = attribute(call, name);
  return found == nullptr ? otherwise : found->integer;
}

/// The numbers of an input that decides a shape. They may follow from shapes, but not from the graph's input
/// (SECURITY-3): nobody could say beforehand how large the result becomes.
inline std::vector<std::int64_t> integers(const Tensor& tensor) {
  if (!tensor.known) Budget::too_large();
  if (std::holds_alternative<std::vector<std::int32_t>>(tensor.elements)) {
    const auto& narrow = tensor.as<std::int32_t>();
    return {narrow.begin(), narrow.end()};
  }
  return tensor.as<std::int64_t>();
}

inline std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) misfit("an axis is out of range");
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

/// The axes that the second input or the attribute `axes` names, marked; none if there is neither.
std::vector<bool> named_axes(const Call& call, std::size_t rank);

// ---- new tensors

/// A tensor of that shape, made of `sources`; in a trial run without elements, unless those of the sources are known
/// and the work is little.
template <class T>
Tensor make(Call& call, const std::vector<const Tensor*>& sources, const Shape& shape, std::int64_t work = 0) {
  const std::int64_t count = count_of(shape);
  call.budget.take(count, std::max(count, work));
  const auto is_known = [](const Tensor* tensor) { return tensor->known; };
  const bool little = !call.budget.trial || std::max(count, work) <= Budget::kTrialWork;
  const bool known = little && std::all_of(sources.begin(), sources.end(), is_known);
  return {shape, std::vector<T>(known ? static_cast<std::size_t>(count) : 0), known};
}

template <class T>
std::vector<T>& elements(Tensor& tensor) {
  return std::get<std::vector<T>>(tensor.elements);
}

/// Calls `run` with a value of the tensor's element type.
template <class F>
Tensor by_type(const Tensor& tensor, F run) {
  return std::visit(
      [&](const auto& values) -> Tensor { return run(typename std::decay_t<decltype(values)>::value_type{}); },
      tensor.elements);
}

/// The same for types of numbers, or of floating-point numbers only; throws for all others.
template <bool FloatsOnly = false, class F>
Tensor by_number(const Tensor& tensor, F run) {
  return by_type(tensor, [&](auto zero) -> Tensor {
    using T = decltype(zero);
    if constexpr (kIsFloat<T> || (kIsNumber<T> && !FloatsOnly)) {
      return run(zero);
    } else {
      misfit("an operator does not have this type");
    }
  });
}

// ---- walks through tensors

Shape strides_of(const Shape& shape);
/// The shape to which both can be repeated; throws if there is none.
Shape broadcast(const Shape& one, const Shape& other);
/// Strides with which a tensor is read as if it had the larger shape: 0 along axes that are repeated.
Shape broadcast_strides(const Shape& shape, const Shape& larger);

/// Calls `run(at, places, steps, length)` for every run along the last axis of a shape: `at` counts through the shape
/// row by row, `places` and `steps` lead through tensors with the given strides.
template <std::size_t N, class F>
void walk(const Shape& shape, const std::array<Shape, N>& strides, std::array<std::int64_t, N> places, F run) {
  const std::int64_t count = count_of(shape);
  const std::size_t rank = shape.size();
  const std::int64_t length = rank == 0 ? 1 : shape.back();
  std::array<std::int64_t, N> steps{};
  for (std::size_t n = 0; n < N && rank > 0; ++n) steps[n] = strides[n].back();
  Shape index(rank, 0);
  for (std::int64_t at = 0; at < count; at += length) {
    run(at, places, steps, length);
    for (std::size_t axis = rank == 0 ? 0 : rank - 1; axis-- > 0;) {
      for (std::size_t n = 0; n < N; ++n) places[n] += strides[n][axis];
      if (++index[axis] < shape[axis]) break;
      for (std::size_t n = 0; n < N; ++n) places[n] -= strides[n][axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// A tensor whose elements are those of the source from a place on and with strides.
Tensor view(Call& call, const Tensor& source, const Shape& shape, std::int64_t place, const Shape& strides);

}  // namespace llb
