// Operators that move elements: shapes, slices, parts and choices of tensors. And what all operators share.
#include <cstdlib>
#include <numeric>
#include <utility>

#include "kernel.hpp"

namespace llb {

using std::int64_t;

std::vector<bool> named_axes(const Call& call, std::size_t rank) {
  std::vector<int64_t> axes;
  if (const Tensor* tensor = optional_input(call, 1)) axes = integers(*tensor);
  if (const Attribute* found = attribute(call, "axes")) axes = found->integers;
  std::vector<bool> marked(rank, false);
  for (const int64_t axis : axes) {
    if (marked[axis_of(axis, rank)]) misfit("an axis is named twice");
    marked[axis_of(axis, rank)] = true;
  }
  return marked;
}

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

Shape broadcast(const Shape& one, const Shape& other) {
  const bool longer = one.size() >= other.size();
  Shape shape = longer ? one : other;
  const Shape& shorter = longer ? other : one;
  for (std::size_t i = 1; i <= shorter.size(); ++i) {
    int64_t& size = shape[shape.size() - i];
    const int64_t also = shorter[shorter.size() - i];
    if (size != also && size != 1 && also != 1) misfit("shapes do not fit together");
    if (size == 1) size = also;
  }
  return shape;
}

Shape broadcast_strides(const Shape& shape, const Shape& larger) {
  const Shape own = strides_of(shape);
  Shape strides(larger.size(), 0);
  for (std::size_t i = 1; i <= shape.size(); ++i) {
    if (shape[shape.size() - i] != 1) strides[larger.size() - i] = own[shape.size() - i];
  }
  return strides;
}

Tensor view(Call& call, const Tensor& source, const Shape& shape, int64_t place, const Shape& strides) {
  return by_type(source, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = make<T>(call, {&source}, shape);
    if (!result.known) return result;
    const auto& from = source.as<T>();
    auto& to = elements<T>(result);
    walk<1>(shape, {strides}, {place}, [&](int64_t at, auto places, auto steps, int64_t length) {
      for (int64_t i = 0; i < length; ++i) to[at + i] = from[places[0] + i * steps[0]];
    });
    return result;
  });
}

namespace {

/// The elements of the first input in another shape of as many.
Tensor reshaped(Call& call, const Shape& shape) { return view(call, input(call, 0), shape, 0, strides_of(shape)); }

Tensor identity(Call& call) { return reshaped(call, input(call, 0).shape); }

Tensor shape_of(Call& call) {
  const Shape& shape = input(call, 0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const auto bound = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const int64_t start = bound(integer(call, "start", 0));
  const int64_t end = std::max(start, bound(integer(call, "end", rank)));
  call.budget.take(end - start, 1);
  return {{end - start}, Shape(shape.begin() + start, shape.begin() + end), true};
}

Tensor reshape(Call& call) {
  const Shape& from = input(call, 0).shape;
  Shape shape = integers(input(call, 1));
  std::size_t open = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && integer(call, "allowzero", 0) == 0) {
      if (i >= from.size()) fails("a Reshape keeps an axis that is not there");
      shape[i] = from[i];
    }
    if (shape[i] < -1 || (shape[i] == -1 && open != shape.size())) fails("a Reshape to no shape");
    if (shape[i] == -1) open = i;
  }
  const int64_t count = count_of(from);
  if (open != shape.size()) {
    shape[open] = 1;
    const int64_t others = count_of(shape);
    shape[open] = others == 0 ? 0 : count / others;
  }
  if (count_of(shape) != count) fails("a Reshape to another number of elements");
  return reshaped(call, shape);
}

Tensor flatten(Call& call) {
  const Shape& shape = input(call, 0).shape;
  const int64_t axis = integer(call, "axis", 1);
  const bool all = axis == static_cast<int64_t>(shape.size());
  const auto middle = shape.begin() + static_cast<int64_t>(all ? shape.size() : axis_of(axis, shape.size()));
  return reshaped(call, {count_of({shape.begin(), middle}), count_of({middle, shape.end()})});
}

Tensor squeeze(Call& call) {
  const Shape& from = input(call, 0).shape;
  const std::vector<bool> marked = named_axes(call, from.size());
  const bool named = std::find(marked.begin(), marked.end(), true) != marked.end();
  Shape shape;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (marked[axis] && from[axis] != 1) misfit("a Squeeze of an axis that is not 1");
    if (named ? !marked[axis] : from[axis] != 1) shape.push_back(from[axis]);
  }
  return reshaped(call, shape);
}

Tensor unsqueeze(Call& call) {
  Shape shape = input(call, 0).shape;
  const std::vector<bool> marked = named_axes(call, shape.size() + integers(input(call, 1)).size());
  for (std::size_t axis = 0; axis < marked.size(); ++axis) {
    if (marked[axis]) shape.insert(shape.begin() + static_cast<int64_t>(axis), 1);
  }
  return reshaped(call, shape);
}

Tensor transpose(Call& call) {
  const Tensor& a = input(call, 0);
  std::vector<int64_t> order(a.shape.size());
  std::iota(order.rbegin(), order.rend(), 0);
  if (const Attribute* perm = attribute(call, "perm")) order = perm->integers;
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  Shape shape;
  Shape strides;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (sorted.size() != a.shape.size() || sorted[i] != static_cast<int64_t>(i)) misfit("perm is no order of the axes");
    shape.push_back(a.shape[order[i]]);
    strides.push_back(strides_of(a.shape)[order[i]]);
  }
  if (order.size() != a.shape.size()) misfit("perm is no order of the axes");
  return view(call, a, shape, 0, strides);
}

Tensor slice(Call& call) {
  const Tensor& a = input(call, 0);
  const auto starts = integers(input(call, 1));
  const auto ends = integers(input(call, 2));
  std::vector<int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (const Tensor* given = optional_input(call, 3)) axes = integers(*given);
  std::vector<int64_t> steps(starts.size(), 1);
  if (const Tensor* given = optional_input(call, 4)) steps = integers(*given);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    misfit("the inputs of a Slice are not equally long");
  }
  Shape shape = a.shape;
  Shape strides = strides_of(a.shape);
  int64_t place = 0;
  std::vector<bool> seen(shape.size(), false);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = axis_of(axes[i], shape.size());
    if (seen[axis] || steps[i] == 0) misfit("a Slice of an axis twice, or with a step of 0");
    seen[axis] = true;
    const int64_t size = a.shape[axis];
    const bool forward = steps[i] > 0;
    const int64_t step = std::clamp(steps[i], -size - 1, size + 1);  // beyond, it is one element all the same
    // Backwards, a slice begins at the last element and can end in front of the first.
    const auto bound = [&](int64_t at, int64_t least) {
      return std::clamp(at < 0 ? at + size : at, least, std::max(least, forward ? size : size - 1));
    };
    const int64_t start = bound(starts[i], 0);
    const int64_t end = bound(ends[i], forward ? 0 : -1);
    const int64_t span = forward ? end - start : start - end;
    shape[axis] = size == 0 || span <= 0 ? 0 : (span - 1) / std::abs(step) + 1;
    place += start * strides[axis];
    strides[axis] *= step;
  }
  return view(call, a, shape, place, strides);
}

Tensor split(Call& call) {
  const Tensor& a = input(call, 0);
  const std::size_t axis = axis_of(integer(call, "axis", 0), a.shape.size());
  const int64_t size = a.shape[axis];
  const auto parts = static_cast<int64_t>(call.node.outputs.size());
  const bool counted = attribute(call, "num_outputs") != nullptr;
  if (integer(call, "num_outputs", parts) != parts) misfit("a Split has another number of outputs");
  std::vector<int64_t> sizes;
  if (const Tensor* given = optional_input(call, 1)) {
    sizes = integers(*given);
  } else {
    const int64_t part = (size + parts - 1) / parts;
    if (!counted && part * parts != size) misfit("a Split into equal parts that are not");
    sizes.assign(call.node.outputs.size(), part);
    sizes.back() = size - part * (parts - 1);  // the last part may be smaller
  }
  Shape starts = {0};
  for (const int64_t part : sizes) {
    if (part < 0 || part > size) misfit("the parts of a Split do not fit its input");
    starts.push_back(starts.back() + part);
  }
  if (starts.back() != size || sizes.size() != call.node.outputs.size()) {
    misfit("the parts of a Split do not fit its input");
  }
  Shape shape = a.shape;
  shape[axis] = sizes[call.output];
  const Shape strides = strides_of(a.shape);
  return view(call, a, shape, starts[call.output] * strides[axis], strides);
}

Tensor concat(Call& call) {
  const Tensor& first = input(call, 0);
  if (attribute(call, "axis") == nullptr) misfit("a Concat without its axis");
  const std::size_t axis = axis_of(integer(call, "axis", 0), first.shape.size());
  Shape shape = first.shape;
  shape[axis] = 0;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    Shape part = input(call, i).shape;
    if (part.size() != shape.size()) misfit("the parts of a Concat do not fit together");
    const int64_t size = std::exchange(part[axis], shape[axis]);
    if (part != shape) misfit("the parts of a Concat do not fit together");
    shape[axis] += size;
  }
  return by_type(first, [&](auto zero) {
    using T = decltype(zero);
    for (const Tensor* part : call.inputs) part->as<T>();  // all are of one type
    Tensor result = make<T>(call, call.inputs, shape);
    if (!result.known) return result;
    const Shape strides = strides_of(shape);
    auto& to = elements<T>(result);
    int64_t start = 0;
    for (const Tensor* part : call.inputs) {
      const auto& from = part->as<T>();
      walk<1>(part->shape, {strides}, {start}, [&](int64_t at, auto places, auto steps, int64_t length) {
        for (int64_t i = 0; i < length; ++i) to[places[0] + i * steps[0]] = from[at + i];
      });
      start += part->shape[axis] * strides[axis];
    }
    return result;
  });
}

Tensor gather(Call& call) {
  const Tensor& a = input(call, 0);
  const Tensor& picks = input(call, 1);
  const std::size_t axis = axis_of(integer(call, "axis", 0), a.shape.size());
  const auto middle = a.shape.begin() + static_cast<int64_t>(axis);
  const int64_t size = *middle;
  const int64_t inner = strides_of(a.shape)[axis];
  Shape shape(a.shape.begin(), middle);
  const int64_t outer = count_of(shape);
  shape.insert(shape.end(), picks.shape.begin(), picks.shape.end());
  shape.insert(shape.end(), middle + 1, a.shape.end());
  return by_type(a, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = make<T>(call, {&a, &picks}, shape);
    if (!result.known) return result;
    const auto& from = a.as<T>();
    auto to = elements<T>(result).begin();
    const std::vector<int64_t> indices = integers(picks);
    for (int64_t block = 0; block < outer; ++block) {
      for (const int64_t index : indices) {
        if (index < -size || index >= size) fails("a Gather of an element that is not there");
        const int64_t at = block * size + index + (index < 0 ? size : 0);
        to = std::copy_n(from.begin() + at * inner, inner, to);
      }
    }
    return result;
  });
}

}  // namespace

std::map<std::string, Operator> layout_operators() {
  return {
      {"Concat", {1, Operator::kMany, "axis:i", concat}},
      {"Constant", {0, 0, "value:t value_float:f value_floats:F value_int:i value_ints:I", nullptr}},
      {"Flatten", {1, 1, "axis:i", flatten}},
      {"Gather", {2, 2, "axis:i", gather}},
      {"Identity", {1, 1, "", identity}},
      {"Reshape", {2, 2, "allowzero:i", reshape}},
      {"Shape", {1, 1, "start:i end:i", shape_of}},
      {"Slice", {3, 5, "", slice}},
      {"Split", {1, 2, "axis:i", split}},
      {"Split 18", {1, 2, "axis:i num_outputs:i", split}},
      {"Squeeze", {1, 2, "", squeeze}},
      {"Transpose", {1, 1, "perm:I", transpose}},
      {"Unsqueeze", {2, 2, "", unsqueeze}},
  };
}

const Operator* find_operator(const std::string& name, int64_t opset) {
  static const std::map<std::string, Operator> all = [] {
    auto merged = arithmetic_operators();
    merged.merge(layout_operators());
    return merged;
  }();
  if (name.find(' ') != std::string::npos) return nullptr;
  for (; opset > 17; --opset) {
    const auto changed = all.find(name + " " + std::to_string(opset));
    if (changed != all.end()) return &changed->second;
  }
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace llb
