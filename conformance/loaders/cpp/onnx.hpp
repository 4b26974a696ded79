// ONNX files, read without the libraries of ONNX or protobuf.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace llb {

// Numbers that ONNX gives to element types and to types of attributes.
enum ElementType { kFloat = 1, kInt32 = 6, kInt64 = 7, kBool = 9, kDouble = 11 };
enum AttributeType { kReal = 1, kInteger = 2, kString = 3, kTensor = 4, kReals = 6, kIntegers = 7, kStrings = 8 };

struct Attribute {
  std::int64_t type = 0;
  float real = 0;
  std::int64_t integer = 0;
  Tensor tensor;
  std::vector<float> reals;
  std::vector<std::int64_t> integers;
};

struct Node {
  std::string op;
  std::string domain;
  std::vector<std::string> inputs;  // empty names are inputs that are left out
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
};

struct ValueInfo {
  std::string name;
  std::int64_t type = 0;
  Shape shape;  // -1 for a dimension that is free
};

struct OnnxModel {
  std::int64_t ir_version = 0;
  std::vector<std::pair<std::string, std::int64_t>> opsets;  // domain and version
  std::vector<Node> nodes;
  std::vector<std::pair<std::string, Tensor>> constants;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
};

/// Throws a Fault for a file that is no ONNX model, for parts that GRAPH-6 forbids, and for broken weights.
OnnxModel read_onnx(const std::string& bytes);

}  // namespace llb
