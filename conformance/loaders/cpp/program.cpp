#include "program.hpp"

#include <algorithm>
#include <map>

namespace llb {
namespace {

// What SECURITY-3 has every reader accept.
constexpr std::size_t kBytes = std::size_t{256} << 20;
constexpr std::size_t kNodes = 20000;
constexpr std::size_t kEdges = 200000;

void require(bool right, const char* code, const std::string& message) {
  if (!right) throw Fault("graph", code, "", message);
}

bool is_standard(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void check_versions(const OnnxModel& model, const GraphEntry& declared) {
  for (const auto& opset : model.opsets) {
    require(is_standard(opset.first), "LLB-G005", "the graph imports the domain " + opset.first);
  }
  require(model.ir_version >= 8 && model.ir_version <= 10, "LLB-G013", "the IR version is not 8 to 10");
  require(model.opsets.size() == 1, "LLB-G004", "the graph does not import one operator set");
  const std::int64_t opset = model.opsets[0].second;
  require(opset >= 17 && opset <= 21 && opset == declared.opset, "LLB-G004",
          "the operator set is not the declared one");
}

/// Whether the operator has an attribute of that name and type.
bool has_attribute(const Operator& op, const std::string& name, std::int64_t type) {
  static const std::map<std::int64_t, char> letters = {
      {kReal, 'f'}, {kInteger, 'i'}, {kTensor, 't'}, {kReals, 'F'}, {kIntegers, 'I'}};
  const auto letter = letters.find(type);
  if (letter == letters.end() || name.find_first_of(": ") != std::string::npos) return false;
  const std::string list = " " + std::string(op.attributes) + " ";
  return list.find(" " + name + ":" + letter->second + " ") != std::string::npos;
}

void check_nodes(const OnnxModel& model) {
  std::size_t edges = model.constants.size();
  for (const Node& node : model.nodes) edges += node.inputs.size() + node.outputs.size();
  require(model.nodes.size() <= kNodes && edges <= kEdges, "LLB-G008", "the graph is too large");
  for (const Node& node : model.nodes) {
    require(is_standard(node.domain), "LLB-G005", "an operator of the domain " + node.domain);
    const Operator* op = find_operator(node.op, model.opsets[0].second);
    require(op != nullptr, "LLB-G003", "the operator " + node.op + " is not on the list");
    require(node.inputs.size() >= op->least_inputs && node.inputs.size() <= op->most_inputs && !node.outputs.empty() &&
                (node.outputs.size() == 1 || node.op == "Split"),
            "LLB-G002", node.op + " has another number of inputs or outputs");
    for (const auto& attribute : node.attributes) {
      require(has_attribute(*op, attribute.first, attribute.second.type), "LLB-G002",
              node.op + " has no attribute " + attribute.first + " of this type");
    }
    require(node.op != "Constant" || node.attributes.size() == 1, "LLB-G002", "a Constant without its one value");
  }
}

void check_signature(const OnnxModel& model, const GraphEntry& declared) {
  const auto check = [](const std::vector<ValueInfo>& values, const std::vector<Signature>& expected) {
    const auto same = [](const ValueInfo& value, const Signature& other) { return value.name == other.name; };
    require(std::equal(values.begin(), values.end(), expected.begin(), expected.end(), same), "LLB-G009",
            "the names of inputs or outputs are not the declared ones");
    for (std::size_t i = 0; i < values.size(); ++i) {
      require(values[i].type == (expected[i].single ? kFloat : kDouble), "LLB-G010",
              "the element type of " + values[i].name + " is not the declared one");
      require(values[i].shape == Shape{-1, expected[i].columns}, "LLB-G011",
              "the shape of " + values[i].name + " is not the declared one");
    }
  };
  check(model.inputs, {declared.input});
  check(model.outputs, declared.outputs);
  for (const auto& constant : model.constants) {
    require(constant.first != declared.input.name, "LLB-G009", "the input is a constant");
  }
}

/// What a node of operator Constant holds.
Tensor constant_of(const Attribute& value) {
  const auto count = [](const auto& list) { return Shape{static_cast<std::int64_t>(list.size())}; };
  switch (value.type) {
    case kReal: return {{}, std::vector<float>{value.real}, true};
    case kReals: return {count(value.reals), value.reals, true};
    case kInteger: return {{}, std::vector<std::int64_t>{value.integer}, true};
    case kIntegers: return {count(value.integers), value.integers, true};
    default: return value.tensor;
  }
}

}  // namespace

Program::Program(const std::string& bytes, const GraphEntry& declared) {
  require(bytes.size() <= kBytes, "LLB-G008", "the graph is too large");
  OnnxModel model = read_onnx(bytes);
  check_versions(model, declared);
  check_nodes(model);
  check_signature(model, declared);
  link(model);
  try_shapes(declared, kRows);
  try_shapes(declared, 1);
}

/// Turns names into numbers. Every name is written once, and before it is read, so that there are no circles.
void Program::link(OnnxModel& model) {
  std::map<std::string, std::size_t> numbers;
  const auto define = [&](const std::string& name) {
    require(!name.empty() && numbers.emplace(name, tensors_).second, "LLB-G002", name + " is written twice");
    return tensors_++;
  };
  const auto number = [&](const std::string& name) {
    const auto found = numbers.find(name);
    require(found != numbers.end(), "LLB-G002", name + " is read before it is written");
    return found->second;
  };
  define(model.inputs[0].name);
  for (auto& constant : model.constants) constants_[define(constant.first)] = std::move(constant.second);
  for (Node& node : model.nodes) {
    if (node.op == "Constant") {
      constants_[define(node.outputs[0])] = constant_of(node.attributes.begin()->second);
      continue;
    }
    Step step{node, find_operator(node.op, model.opsets[0].second), {}, {}, {}};
    for (const std::string& name : node.inputs) step.inputs.push_back(name.empty() ? kNone : number(name));
    for (const std::string& name : node.outputs) step.outputs.push_back(name.empty() ? tensors_++ : define(name));
    steps_.push_back(std::move(step));
  }
  for (const ValueInfo& output : model.outputs) outputs_.push_back(number(output.name));
  // What is not needed any more is let go, so that a run takes little more memory than its largest step.
  std::vector<bool> needed(tensors_, false);
  for (const std::size_t output : outputs_) needed[output] = true;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    for (const auto* list : {&step->inputs, &step->outputs}) {
      for (const std::size_t tensor : *list) {
        if (tensor == kNone || needed[tensor]) continue;
        needed[tensor] = true;
        step->last.push_back(tensor);
      }
    }
  }
}

std::vector<Tensor> Program::execute(const Tensor& input, bool trial) const {
  Budget budget;
  budget.trial = trial;
  std::vector<Tensor> written(tensors_);
  std::vector<const Tensor*> tensors(tensors_, nullptr);
  tensors[0] = &input;
  for (const auto& constant : constants_) tensors[constant.first] = &constant.second;
  for (const Step& step : steps_) {
    std::vector<const Tensor*> inputs;
    for (const std::size_t tensor : step.inputs) inputs.push_back(tensor == kNone ? nullptr : tensors[tensor]);
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      Call call{step.node, inputs, i, budget};
      written[step.outputs[i]] = step.op->run(call);
      tensors[step.outputs[i]] = &written[step.outputs[i]];
    }
    for (const std::size_t tensor : step.last) written[tensor] = Tensor{};
  }
  std::vector<Tensor> outputs;
  for (const std::size_t output : outputs_) outputs.push_back(*tensors[output]);
  return outputs;
}

std::vector<Tensor> Program::run(const Tensor& input) const { return execute(input, false); }

/// Follows the shapes through the graph for a number of rows, before anything large is allocated or computed.
void Program::try_shapes(const GraphEntry& declared, std::int64_t rows) const {
  const auto type_of = [](const Signature& signature) {
    return signature.single ? Elements{std::vector<float>{}} : Elements{std::vector<double>{}};
  };
  const auto outputs = execute({{rows, declared.input.columns}, type_of(declared.input), false}, true);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Shape& shape = outputs[i].shape;
    require(outputs[i].elements.index() == type_of(declared.outputs[i]).index() && shape.size() == 2 &&
                shape[1] == declared.outputs[i].columns,
            "LLB-G002", "an output does not have the type or shape that the graph declares");
    if (shape[0] != rows) throw Fault("numbers", "LLB-N006", "", "an output does not have one row for each point");
  }
}

}  // namespace llb
