// Operators that compute: element by element, products of matrices, reductions.
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "kernel.hpp"

namespace llb {
namespace {

using std::int64_t;

// Integers wrap around as in ONNX runtimes; in C++ they must do so without a sign.
template <class Operation>
struct Wrapping {
  template <class T>
  T operator()(T one, T other) const {
    if constexpr (std::is_integral_v<T>) {
      using U = std::make_unsigned_t<T>;
      return static_cast<T>(Operation{}(static_cast<U>(one), static_cast<U>(other)));
    } else {
      return Operation{}(one, other);
    }
  }
};
using Add = Wrapping<std::plus<>>;
using Subtract = Wrapping<std::minus<>>;
using Multiply = Wrapping<std::multiplies<>>;

struct Divide {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) fails("a division of integers by zero");
      if (b == -1) return Subtract{}(T{0}, a);  // the smallest integer has no counterpart
    }
    return a / b;
  }
};

// NaN goes through, whichever of the two it is.
struct Larger {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Smaller {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

template <class To, class From>
To cast(From value) {
  if constexpr (std::is_same_v<To, Bool>) {
    return value != 0;
  } else if constexpr (std::is_integral_v<To> && kIsFloat<From>) {
    // Elsewhere the conversion is undefined in C++; processors give the smallest integer.
    constexpr To least = std::numeric_limits<To>::min();
    const bool fits = value >= static_cast<From>(least) && value < -static_cast<From>(least);
    return fits ? static_cast<To>(value) : least;
  } else {
    return static_cast<To>(value);
  }
}

template <bool FloatsOnly, class F>
Tensor unary(Call& call, F f) {
  const Tensor& a = input(call, 0);
  return by_number<FloatsOnly>(a, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = make<T>(call, {&a}, a.shape);
    if (result.known) std::transform(a.as<T>().begin(), a.as<T>().end(), elements<T>(result).begin(), f);
    return result;
  });
}

template <class F>
Tensor numbers(Call& call, F f) {
  return unary<false>(call, f);
}

template <class F>
Tensor floats(Call& call, F f) {
  return unary<true>(call, f);
}

/// f(a, b) by elements of types A and B, with broadcasting.
template <class R, class A, class B, class F>
Tensor zip(Call& call, const Tensor& a, const Tensor& b, F f) {
  const auto& left = a.as<A>();
  const auto& right = b.as<B>();
  Tensor result = make<R>(call, {&a, &b}, broadcast(a.shape, b.shape));
  if (!result.known) return result;
  auto& to = elements<R>(result);
  walk<2>(result.shape, {broadcast_strides(a.shape, result.shape), broadcast_strides(b.shape, result.shape)}, {0, 0},
          [&](int64_t at, auto places, auto steps, int64_t length) {
            for (int64_t i = 0; i < length; ++i) {
              to[at + i] = f(left[places[0] + i * steps[0]], right[places[1] + i * steps[1]]);
            }
          });
  return result;
}

/// The product of two matrices, added to `to`. Every row is summed in the same order, however many there are, so that
/// a point gives the same value in a batch as alone, to the last digit.
template <class T>
void add_product(const T* a, const T* b, T* to, int64_t rows, int64_t inner, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row, to += columns) {
    for (int64_t i = 0; i < inner; ++i) {
      const T factor = a[row * inner + i];
      const T* line = b + i * columns;
      for (int64_t column = 0; column < columns; ++column) {
        to[column] = Add{}(to[column], Multiply{}(factor, line[column]));
      }
    }
  }
}

Tensor product(Call& call, const Tensor& a, const Tensor& b) {
  if (a.shape.empty() || b.shape.empty()) misfit("a factor of MatMul is no matrix");
  // A vector is a row on the left and a column on the right, and that axis is not in the result.
  Shape left = a.shape;
  Shape right = b.shape;
  if (a.shape.size() == 1) left.insert(left.begin(), 1);
  if (b.shape.size() == 1) right.push_back(1);
  const int64_t rows = left[left.size() - 2];
  const int64_t inner = left.back();
  const int64_t columns = right.back();
  if (right[right.size() - 2] != inner) misfit("the factors of a product do not fit together");
  left.resize(left.size() - 2);
  right.resize(right.size() - 2);
  const Shape batch = broadcast(left, right);
  Shape shape = batch;
  if (a.shape.size() > 1) shape.push_back(rows);
  if (b.shape.size() > 1) shape.push_back(columns);
  const int64_t work = count_of(shape) * inner;  // of two sizes of tensors: at most 2^52
  return by_number(a, [&](auto zero) {
    using T = decltype(zero);
    const T* one = a.as<T>().data();
    const T* other = b.as<T>().data();
    Tensor result = make<T>(call, {&a, &b}, shape, work);
    if (!result.known) return result;
    T* to = elements<T>(result).data();
    walk<2>(batch, {broadcast_strides(left, batch), broadcast_strides(right, batch)}, {0, 0},
            [&](int64_t at, auto places, auto steps, int64_t length) {
              for (int64_t i = 0; i < length; ++i) {
                add_product(one + (places[0] + i * steps[0]) * rows * inner,
                            other + (places[1] + i * steps[1]) * inner * columns, to + (at + i) * rows * columns, rows,
                            inner, columns);
              }
            });
    return result;
  });
}

/// Folds the elements along axes into one, from a first value on; `finish` gets the result and their number.
template <class First, class Fold, class Finish>
Tensor reduce(Call& call, First first, Fold fold, Finish finish) {
  const Tensor& a = input(call, 0);
  std::vector<bool> reduced = named_axes(call, a.shape.size());
  const bool none = std::find(reduced.begin(), reduced.end(), true) == reduced.end();
  if (none && integer(call, "noop_with_empty_axes", 0) == 0) reduced.assign(reduced.size(), true);
  Shape kept = a.shape;
  Shape shape;
  int64_t count = 1;
  for (std::size_t axis = 0; axis < kept.size(); ++axis) {
    if (reduced[axis]) count *= std::exchange(kept[axis], 1);
    if (!reduced[axis] || integer(call, "keepdims", 1) == 1) shape.push_back(kept[axis]);
  }
  return by_number(a, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = make<T>(call, {&a}, shape, count_of(a.shape));
    if (!result.known) return result;
    const auto& from = a.as<T>();
    auto& to = elements<T>(result);
    std::fill(to.begin(), to.end(), first(zero));
    walk<1>(a.shape, {broadcast_strides(kept, a.shape)}, {0},
            [&](int64_t at, auto places, auto steps, int64_t length) {
              for (int64_t i = 0; i < length; ++i) {
                T& value = to[places[0] + i * steps[0]];
                value = fold(value, from[at + i]);
              }
            });
    for (T& value : to) value = finish(value, static_cast<T>(count));
    return result;
  });
}

/// The largest value of a type, or the smallest.
template <class T>
T extreme(T, bool largest) {
  using Limits = std::numeric_limits<T>;
  if constexpr (kIsFloat<T>) return largest ? Limits::infinity() : -Limits::infinity();
  return largest ? Limits::max() : Limits::lowest();
}

constexpr auto kZero = [](auto zero) { return zero; };
constexpr auto kAsItIs = [](auto value, auto) { return value; };

// ---- the operators

/// The first input with each further one; with broadcasting, as everything of two inputs.
template <class F>
Tensor arithmetic(Call& call) {
  return by_number(input(call, 0), [&](auto zero) {
    using T = decltype(zero);
    Tensor result = input(call, 0);
    for (std::size_t i = 1; i < call.inputs.size(); ++i) result = zip<T, T, T>(call, result, input(call, i), F{});
    return result;
  });
}

template <class F>
Tensor comparison(Call& call) {
  return by_type(input(call, 0), [&](auto zero) {
    using T = decltype(zero);
    return zip<Bool, T, T>(call, input(call, 0), input(call, 1), F{});
  });
}

template <class F>
Tensor logic(Call& call) {
  return zip<Bool, Bool, Bool>(call, input(call, 0), input(call, 1), F{});
}

Tensor inverted(Call& call) {
  const Tensor& a = input(call, 0);
  return zip<Bool, Bool, Bool>(call, a, a, [](Bool x, Bool) { return !x; });
}

Tensor absolute(Call& call) {
  return numbers(call, [](auto x) {
    const decltype(x) zero{};
    return x < zero ? Subtract{}(zero, x) : x + zero;  // of -0.0 it is 0.0
  });
}

Tensor power(Call& call) {
  const Tensor& exponents = input(call, 1);
  return by_number(input(call, 0), [&](auto base) {
    return by_number(exponents, [&](auto exponent) {
      using T = decltype(base);
      using E = decltype(exponent);
      return zip<T, T, E>(call, input(call, 0), exponents, [](T x, E y) { return cast<T>(std::pow(x, y)); });
    });
  });
}

Tensor converted(Call& call) {
  const Tensor& a = input(call, 0);
  const auto to = [&](auto type) {
    return by_type(a, [&](auto zero) {
      using To = decltype(type);
      using From = decltype(zero);
      return zip<To, From, From>(call, a, a, [](From x, From) { return cast<To>(x); });
    });
  };
  switch (integer(call, "to", 0)) {
    case kFloat: return to(float{});
    case kDouble: return to(double{});
    case kInt32: return to(std::int32_t{});
    case kInt64: return to(int64_t{});
    case kBool: return to(Bool{});
    default: throw Fault("graph", "LLB-G012", "", "an element type that this loader does not have");
  }
}

Tensor clipped(Call& call) {
  return by_number(input(call, 0), [&](auto zero) {
    using T = decltype(zero);
    Tensor result = input(call, 0);
    if (const Tensor* least = optional_input(call, 1)) result = zip<T, T, T>(call, result, *least, Larger{});
    if (const Tensor* most = optional_input(call, 2)) result = zip<T, T, T>(call, result, *most, Smaller{});
    if (result.shape != input(call, 0).shape) misfit("a bound of Clip is no single number");
    return result;
  });
}

Tensor chosen(Call& call) {
  const Tensor& condition = input(call, 0);
  const Tensor& one = input(call, 1);
  const Tensor& other = input(call, 2);
  const Shape shape = broadcast(broadcast(condition.shape, one.shape), other.shape);
  return by_type(one, [&](auto zero) {
    using T = decltype(zero);
    const auto& picks = condition.as<Bool>();
    const auto& yes = one.as<T>();
    const auto& no = other.as<T>();
    Tensor result = make<T>(call, {&condition, &one, &other}, shape);
    if (!result.known) return result;
    auto& to = elements<T>(result);
    const auto along = [&](const Tensor& tensor) { return broadcast_strides(tensor.shape, shape); };
    walk<3>(shape, {along(condition), along(one), along(other)}, {0, 0, 0},
            [&](int64_t at, auto p, auto s, int64_t length) {
              for (int64_t i = 0; i < length; ++i) {
                to[at + i] = picks[p[0] + i * s[0]] ? yes[p[1] + i * s[1]] : no[p[2] + i * s[2]];
              }
            });
    return result;
  });
}

/// alpha * A * B + beta * C, with A and B as they are or transposed.
Tensor general_product(Call& call) {
  Tensor a = input(call, 0);
  Tensor b = input(call, 1);
  for (Tensor* factor : {&a, &b}) {
    if (factor->shape.size() != 2) misfit("a factor of Gemm is no matrix");
    const Shape strides = strides_of(factor->shape);
    if (integer(call, factor == &a ? "transA" : "transB", 0) == 0) continue;
    *factor = view(call, *factor, {factor->shape[1], factor->shape[0]}, 0, {strides[1], strides[0]});
  }
  Tensor result = product(call, a, b);
  return by_number(a, [&](auto zero) {
    using T = decltype(zero);
    const Attribute* alpha = attribute(call, "alpha");
    const Attribute* beta = attribute(call, "beta");
    const T by = alpha == nullptr ? T{1} : cast<T>(alpha->real);
    const T share = beta == nullptr ? T{1} : cast<T>(beta->real);
    for (T& value : elements<T>(result)) value = Multiply{}(by, value);
    const Tensor* c = optional_input(call, 2);
    if (c == nullptr) return result;
    if (broadcast(result.shape, c->shape) != result.shape) misfit("the summand of Gemm has another shape");
    return zip<T, T, T>(call, result, *c, [=](T x, T y) { return Add{}(x, Multiply{}(share, y)); });
  });
}

Tensor matrix_product(Call& call) { return product(call, input(call, 0), input(call, 1)); }

Tensor reduce_sum(Call& call) { return reduce(call, kZero, Add{}, kAsItIs); }
Tensor reduce_mean(Call& call) { return reduce(call, kZero, Add{}, Divide{}); }
Tensor reduce_square(Call& call) {
  return reduce(call, kZero, [](auto sum, auto x) { return Add{}(sum, Multiply{}(x, x)); }, kAsItIs);
}
Tensor reduce_max(Call& call) {
  return reduce(call, [](auto zero) { return extreme(zero, false); }, Larger{}, kAsItIs);
}
Tensor reduce_min(Call& call) {
  return reduce(call, [](auto zero) { return extreme(zero, true); }, Smaller{}, kAsItIs);
}

/// exp(x - max) / sum of it, along one axis.
Tensor softmax(Call& call) {
  const Tensor& a = input(call, 0);
  const std::size_t axis = axis_of(integer(call, "axis", -1), a.shape.size());
  return by_number<true>(a, [&](auto zero) {
    using T = decltype(zero);
    Tensor result = make<T>(call, {&a}, a.shape);
    if (!result.known) return result;
    auto& to = elements<T>(result);
    to = a.as<T>();
    const int64_t size = a.shape[axis];
    const int64_t step = strides_of(a.shape)[axis];
    for (int64_t at = 0; at < static_cast<int64_t>(to.size()); ++at) {
      if (at / step % size != 0) continue;  // not the first element of its line
      T most = extreme(zero, false);
      T sum = 0;
      for (int64_t i = at; i < at + size * step; i += step) most = Larger{}(most, to[i]);
      for (int64_t i = at; i < at + size * step; i += step) sum += to[i] = std::exp(to[i] - most);
      for (int64_t i = at; i < at + size * step; i += step) to[i] /= sum;
    }
    return result;
  });
}

}  // namespace

std::map<std::string, Operator> arithmetic_operators() {
  constexpr std::size_t kMany = Operator::kMany;
  // Opset 18 made the attribute `axes` an input.
  constexpr const char* kBefore18 = "axes:I keepdims:i";
  constexpr const char* kSince18 = "keepdims:i noop_with_empty_axes:i";
  return {
      {"Abs", {1, 1, "", absolute}},
      {"Add", {2, 2, "", arithmetic<Add>}},
      {"And", {2, 2, "", logic<std::logical_and<>>}},
      {"Cast", {1, 1, "to:i", converted}},
      {"Cast 19", {1, 1, "to:i saturate:i", converted}},
      {"Clip", {1, 3, "", clipped}},
      {"Div", {2, 2, "", arithmetic<Divide>}},
      {"Equal", {2, 2, "", comparison<std::equal_to<>>}},
      {"Exp", {1, 1, "", [](Call& c) { return floats(c, [](auto x) { return std::exp(x); }); }}},
      {"Gemm", {2, 3, "alpha:f beta:f transA:i transB:i", general_product}},
      {"Greater", {2, 2, "", comparison<std::greater<>>}},
      {"GreaterOrEqual", {2, 2, "", comparison<std::greater_equal<>>}},
      {"Less", {2, 2, "", comparison<std::less<>>}},
      {"LessOrEqual", {2, 2, "", comparison<std::less_equal<>>}},
      {"Log", {1, 1, "", [](Call& c) { return floats(c, [](auto x) { return std::log(x); }); }}},
      {"MatMul", {2, 2, "", matrix_product}},
      {"Max", {1, kMany, "", arithmetic<Larger>}},
      {"Min", {1, kMany, "", arithmetic<Smaller>}},
      {"Mul", {2, 2, "", arithmetic<Multiply>}},
      {"Neg", {1, 1, "", [](Call& c) { return numbers(c, [](auto x) { return Multiply{}(x, decltype(x)(-1)); }); }}},
      {"Not", {1, 1, "", inverted}},
      {"Or", {2, 2, "", logic<std::logical_or<>>}},
      {"Pow", {2, 2, "", power}},
      {"Reciprocal", {1, 1, "", [](Call& c) { return floats(c, [](auto x) { return 1 / x; }); }}},
      {"ReduceMax", {1, 1, kBefore18, reduce_max}},
      {"ReduceMax 18", {1, 2, kSince18, reduce_max}},
      {"ReduceMean", {1, 1, kBefore18, reduce_mean}},
      {"ReduceMean 18", {1, 2, kSince18, reduce_mean}},
      {"ReduceMin", {1, 1, kBefore18, reduce_min}},
      {"ReduceMin 18", {1, 2, kSince18, reduce_min}},
      {"ReduceSum", {1, 2, kSince18, reduce_sum}},  // this one had moved before
      {"ReduceSumSquare", {1, 1, kBefore18, reduce_square}},
      {"ReduceSumSquare 18", {1, 2, kSince18, reduce_square}},
      {"Relu", {1, 1, "", [](Call& c) { return numbers(c, [](auto x) { return x < 0 ? decltype(x){} : x; }); }}},
      {"Sigmoid", {1, 1, "", [](Call& c) { return floats(c, [](auto x) { return 1 / (1 + std::exp(-x)); }); }}},
      {"Sign", {1, 1, "", [](Call& c) { return numbers(c, [](auto x) { return decltype(x)((x > 0) - (x < 0)); }); }}},
      {"Softmax", {1, 1, "axis:i", softmax}},
      {"Sqrt", {1, 1, "", [](Call& c) { return floats(c, [](auto x) { return std::sqrt(x); }); }}},
      {"Sub", {2, 2, "", arithmetic<Subtract>}},
      {"Sum", {1, kMany, "", arithmetic<Add>}},
      {"Tanh", {1, 1, "", [](Call& c) { return floats(c, [](auto x) { return std::tanh(x); }); }}},
      {"Where", {3, 3, "", chosen}},
  };
}

}  // namespace llb
