#include "onnx.hpp"

#include <cmath>
#include <cstring>
#include <string_view>

namespace llb {
namespace {

[[noreturn]] void refuse(const char* code, const char* message) { throw Fault("graph", code, "", message); }

/// The fields of a protobuf message, one after the other, whatever they mean.
/// (https://protobuf.dev/programming-guides/encoding; fields that are not asked for are skipped.)
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t field = 0;

  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = varint(rest_);
    field = key >> 3;
    wire_ = static_cast<int>(key & 7);
    if (field == 0) broken();
    if (wire_ == kVarint) {
      number_ = varint(rest_);
    } else if (wire_ == kBytes || wire_ == kFixed64 || wire_ == kFixed32) {
      bytes_ = take(rest_, wire_ == kBytes ? varint(rest_) : wire_ == kFixed64 ? 8 : 4);
    } else {
      broken();
    }
    return true;
  }

  std::int64_t integer() const { return expect(kVarint), static_cast<std::int64_t>(number_); }
  std::string_view bytes() const { return expect(kBytes), bytes_; }
  std::string string() const { return std::string(bytes()); }
  float real() const {
    expect(kFixed32);
    float value;
    std::memcpy(&value, bytes_.data(), sizeof value);  // ONNX is little-endian, as is every machine in use
    return value;
  }

  /// Appends the value of a repeated field of integers, alone or packed.
  void append_to(std::vector<std::int64_t>& values) const {
    if (wire_ == kVarint) return values.push_back(integer());
    for (std::string_view rest = bytes(); !rest.empty();) values.push_back(static_cast<std::int64_t>(varint(rest)));
  }

  /// The same for floats and doubles.
  template <class T>
  void append_to(std::vector<T>& values) const {
    if (wire_ == kVarint || (wire_ != kBytes && bytes_.size() != sizeof(T)) || bytes_.size() % sizeof(T)) broken();
    const std::size_t before = values.size();
    values.resize(before + bytes_.size() / sizeof(T));
    if (!bytes_.empty()) std::memcpy(values.data() + before, bytes_.data(), bytes_.size());
  }

 private:
  enum { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  [[noreturn]] static void broken() { refuse("LLB-G001", "the file is not an ONNX model"); }

  void expect(int wire) const {
    if (wire_ != wire) broken();
  }

  static std::string_view take(std::string_view& rest, std::uint64_t size) {
    if (size > rest.size()) broken();
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }

  static std::uint64_t varint(std::string_view& rest) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(rest, 1)[0]);
      value |= shift < 64 ? std::uint64_t{byte & 0x7fU} << shift : 0;
      if (byte < 0x80) return value;
    }
    broken();
  }

  std::string_view rest_;
  int wire_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

struct TensorProto {
  std::string name;
  Shape shape;
  std::int64_t type = 0;
  std::string_view raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;  // int32_data and int64_data: a tensor has one of them
};

template <class T>
std::vector<T> elements_of(const TensorProto& proto, std::size_t count) {
  std::vector<T> elements;
  if (!proto.raw.empty()) {
    if (proto.raw.size() != count * sizeof(T)) refuse("LLB-G002", "the bytes of a tensor do not fit its shape");
    elements.resize(count);
    std::memcpy(elements.data(), proto.raw.data(), proto.raw.size());
  } else if constexpr (std::is_same_v<T, float>) {
    elements = proto.floats;
  } else if constexpr (std::is_same_v<T, double>) {
    elements = proto.doubles;
  } else {
    for (const std::int64_t value : proto.integers) elements.push_back(static_cast<T>(value));
  }
  // A constant that says it is large and is empty is a trap for readers that allocate by the shape.
  if (elements.empty() && count > 0) refuse("LLB-G008", "a tensor has a shape and no elements");
  const std::size_t written = proto.floats.size() + proto.doubles.size() + proto.integers.size();
  if (elements.size() != count || written != (proto.raw.empty() ? count : 0)) {
    refuse("LLB-G002", "the elements of a tensor do not fit its shape and type");
  }
  if constexpr (std::is_floating_point_v<T>) {
    for (const T value : elements) {
      if (std::isnan(value)) refuse("LLB-G014", "a weight is NaN");
    }
  }
  if constexpr (std::is_same_v<T, Bool>) {
    for (Bool& value : elements) value = value != 0;
  }
  return elements;
}

std::pair<std::string, Tensor> read_tensor(std::string_view bytes) {
  TensorProto proto;
  for (Message message(bytes); message.next();) {
    switch (message.field) {
      case 1: message.append_to(proto.shape); break;
      case 2: proto.type = message.integer(); break;
      case 3: refuse("LLB-G002", "a tensor in segments");
      case 4: message.append_to(proto.floats); break;
      case 5:
      case 7: message.append_to(proto.integers); break;
      case 8: proto.name = message.string(); break;
      case 9: proto.raw = message.bytes(); break;
      case 10: message.append_to(proto.doubles); break;
      case 13: refuse("LLB-G006", "weights outside of the file");
      case 14:
        if (message.integer() != 0) refuse("LLB-G006", "weights outside of the file");
        break;
      default: break;
    }
  }
  const auto count = static_cast<std::size_t>(count_of(proto.shape));
  Tensor tensor{proto.shape, {}, true};
  switch (proto.type) {
    case kFloat: tensor.elements = elements_of<float>(proto, count); break;
    case kDouble: tensor.elements = elements_of<double>(proto, count); break;
    case kInt32: tensor.elements = elements_of<std::int32_t>(proto, count); break;
    case kInt64: tensor.elements = elements_of<std::int64_t>(proto, count); break;
    case kBool: tensor.elements = elements_of<Bool>(proto, count); break;
    default: refuse("LLB-G012", "an element type that this loader does not have");
  }
  return {proto.name, std::move(tensor)};
}

std::pair<std::string, Attribute> read_attribute(std::string_view bytes) {
  std::pair<std::string, Attribute> named;
  Attribute& attribute = named.second;
  for (Message message(bytes); message.next();) {
    switch (message.field) {
      case 1: named.first = message.string(); break;
      case 2: attribute.real = message.real(); break;
      case 3: attribute.integer = message.integer(); break;
      case 5: attribute.tensor = read_tensor(message.bytes()).second; break;
      case 7: message.append_to(attribute.reals); break;
      case 8: message.append_to(attribute.integers); break;
      case 20: attribute.type = message.integer(); break;
      case 6:
      case 11: refuse("LLB-G007", "a subgraph");
      case 22:
      case 23: refuse("LLB-G007", "a sparse tensor");
      case 21: refuse("LLB-G002", "an attribute that refers to a function's");
      default: break;
    }
  }
  for (const float value : attribute.reals) {
    if (std::isnan(value)) refuse("LLB-G014", "a weight is NaN");
  }
  if (std::isnan(attribute.real)) refuse("LLB-G014", "a weight is NaN");
  return named;
}

Node read_node(std::string_view bytes) {
  Node node;
  for (Message message(bytes); message.next();) {
    switch (message.field) {
      case 1: node.inputs.push_back(message.string()); break;
      case 2: node.outputs.push_back(message.string()); break;
      case 4: node.op = message.string(); break;
      case 5:
        if (!node.attributes.insert(read_attribute(message.bytes())).second) {
          refuse("LLB-G002", "a node has an attribute twice");
        }
        break;
      case 7: node.domain = message.string(); break;
      default: break;
    }
  }
  return node;
}

ValueInfo read_value_info(std::string_view bytes) {
  ValueInfo value;
  for (Message message(bytes); message.next();) {
    if (message.field == 1) value.name = message.string();
    if (message.field != 2) continue;
    for (Message type(message.bytes()); type.next();) {
      if (type.field >= 4 && type.field != 6) value.type = 0;  // a sequence, map or the like, and no tensor
      if (type.field != 1) continue;
      for (Message tensor(type.bytes()); tensor.next();) {
        if (tensor.field == 1) value.type = tensor.integer();
        if (tensor.field != 2) continue;
        for (Message shape(tensor.bytes()); shape.next();) {
          if (shape.field != 1) continue;
          value.shape.push_back(-1);
          for (Message dimension(shape.bytes()); dimension.next();) {
            if (dimension.field == 1) value.shape.back() = dimension.integer();
            if (dimension.field == 2) value.shape.back() = -1;
          }
        }
      }
    }
  }
  return value;
}

}  // namespace

OnnxModel read_onnx(const std::string& bytes) {
  OnnxModel model;
  bool has_graph = false;
  for (Message message(bytes); message.next();) {
    switch (message.field) {
      case 1: model.ir_version = message.integer(); break;
      case 8: {
        auto& opset = model.opsets.emplace_back("", 0);
        for (Message import(message.bytes()); import.next();) {
          if (import.field == 1) opset.first = import.string();
          if (import.field == 2) opset.second = import.integer();
        }
        break;
      }
      case 20: refuse("LLB-G007", "training information");
      case 25: refuse("LLB-G007", "a function");
      case 7:
        has_graph = true;
        for (Message graph(message.bytes()); graph.next();) {
          switch (graph.field) {
            case 1: model.nodes.push_back(read_node(graph.bytes())); break;
            case 5: model.constants.push_back(read_tensor(graph.bytes())); break;
            case 11: model.inputs.push_back(read_value_info(graph.bytes())); break;
            case 12: model.outputs.push_back(read_value_info(graph.bytes())); break;
            case 15: refuse("LLB-G007", "a sparse tensor");
            default: break;
          }
        }
        break;
      default: break;
    }
  }
  if (!has_graph) refuse("LLB-G001", "the file is not an ONNX model");
  return model;
}

}  // namespace llb
