// The conformance protocol (SPEC, section 16): one JSON object in a line in, one out.
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "fault.hpp"
#include "likelihood.hpp"

namespace llb {
namespace {

using nlohmann::json;

/// Strings of a bundle can hold anything; the schema allows 2000 characters of them.
std::string shown(const std::string& text) { return text.substr(0, 500); }

[[noreturn]] void refuse_input(const char* code, const std::string& message) {
  throw Fault("input", code, "", message);
}

/// A number of the protocol, where the infinities are strings; NaN for everything else.
double number_of(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

json as_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json as_numbers(const std::vector<double>& values) {
  json numbers = json::array();
  for (const double value : values) numbers.push_back(as_number(value));
  return numbers;
}

double yield_of(const json& value) {
  const double events = number_of(value);
  if (!std::isfinite(events)) refuse_input("LLB-Y004", "a yield is not finite");
  return events;
}

/// Yields by bin id, as a row by column (INPUT-2).
std::vector<double> row_of(const json& signal, const Manifest& manifest) {
  std::vector<double> row(manifest.bins.size(), 0.0);
  std::vector<bool> given(row.size(), false);
  for (const auto& entry : signal.items()) {
    const auto found = manifest.columns.find(entry.key());
    if (found == manifest.columns.end()) refuse_input("LLB-Y001", "there is no bin " + shown(entry.key()));
    if (given[found->second]) refuse_input("LLB-Y003", "the bin " + shown(entry.key()) + " is given twice");
    given[found->second] = true;
    row[found->second] = yield_of(entry.value());
  }
  for (std::size_t column = 0; column < row.size(); ++column) {
    if (!given[column] && !manifest.optional[column]) {
      refuse_input("LLB-Y002", "the bin " + manifest.bins[column] + " is missing");
    }
  }
  return row;
}

/// The points of a request, times mu.
Points points_of(const json& request, const Manifest& manifest) {
  if (request.contains("signals") == request.contains("points")) {
    throw std::runtime_error("either `signals` or `points`");
  }
  Points points;
  for (const json& signal : request.value("signals", json::array())) points.push_back(row_of(signal, manifest));
  for (const json& point : request.value("points", json::array())) {
    if (point.size() != manifest.bins.size()) refuse_input("LLB-Y005", "a point does not have one number per bin");
    std::vector<double>& row = points.emplace_back();
    for (const json& value : point) row.push_back(yield_of(value));
  }
  const double mu = request.contains("mu") ? number_of(request["mu"]) : 1.0;
  for (auto& row : points) {
    for (double& events : row) events *= mu;
  }
  return points;
}

class Session {
 public:
  /// The reply to a request.
  json answer(const json& request) {
    const std::string command = request.at("cmd");
    if (command == "start") {
      return {{"reply", "started"},
              {"protocol", 1},
              {"implementation", {{"name", "llb-loader"}, {"version", "1.0"}, {"language", "C++"}}},
              {"format_versions", {"0.1", "1.0"}},
              {"classes", {"core"}}};
    }
    if (command == "open") return open(request.at("bundle"));
    if (command == "describe") return describe(bundle());
    if (command == "evaluate") return evaluate(bundle(), request);
    if (command == "close") return bundle(), likelihood_.reset(), json{{"reply", "closed"}};
    if (command == "stop") return {{"reply", "stopped"}};
    throw Unsupported(command);
  }

 private:
  const Likelihood& bundle() const {
    if (likelihood_ == nullptr) throw std::runtime_error("no bundle is open");
    return *likelihood_;
  }

  json open(const std::string& path) {
    likelihood_.reset();
    likelihood_ = std::make_unique<Likelihood>(path);
    const Manifest& manifest = likelihood_->manifest();
    return {{"reply", "opened"}, {"format_version", manifest.format_version}, {"inputs", manifest.bins}};
  }

  static json describe(const Likelihood& likelihood) {
    const Manifest& manifest = likelihood.manifest();
    json curves = json::object();
    for (const Curve& curve : manifest.curves) curves[curve.name] = as_number(curve.baseline);
    return {{"reply", "described"},         {"id", manifest.id},
            {"version", manifest.version},  {"inputs", manifest.bins},
            {"curves", curves},             {"lower", as_numbers(manifest.lower)},
            {"upper", as_numbers(manifest.upper)}};
  }

  static json evaluate(const Likelihood& likelihood, const json& request) {
    const std::set<std::string> asked = request.at("curves");
    const Points points = points_of(request, likelihood.manifest());
    Values values;
    try {
      values = likelihood.evaluate(points);
    } catch (const Fault& fault) {
      throw std::runtime_error(fault.what());  // `rejected` would mean the bundle as a whole, or its input
    }
    json reply = {{"reply", "values"}, {"delta_nll", json::object()}, {"out_of_domain", values.outside}};
    for (const Curve& curve : likelihood.manifest().curves) {
      if (asked.count(curve.name) == 0) continue;
      reply["delta_nll"][curve.name] = as_numbers(values.delta_nll[curve.column]);
      if (!values.sigma.empty()) reply["sigma"][curve.name] = as_numbers(values.sigma[curve.column]);
    }
    if (reply["delta_nll"].size() != asked.size()) throw std::runtime_error("the bundle does not have this curve");
    return reply;
  }

  std::unique_ptr<Likelihood> likelihood_;
};

/// The reply, whatever happens.
json reply_to(Session& session, const std::string& line) {
  json seq = 1;  // of a line that is no request, to which no number would be right
  json reply;
  try {
    const json request = json::parse(line);
    if (request.is_object() && request.contains("seq")) seq = request["seq"];
    reply = session.answer(request);
  } catch (const Fault& fault) {
    reply = {{"reply", "rejected"},
             {"stage", fault.stage},
             {"code", fault.code},
             {"pointer", shown(fault.place)},
             {"message", shown(fault.what())}};
  } catch (const Unsupported& missing) {
    reply = {{"reply", "unsupported"}, {"what", shown(missing.what())}};
  } catch (const std::exception& error) {
    reply = {{"reply", "errored"}, {"context", {{"message", shown(error.what())}}}};
  }
  if (reply["reply"] != "started") reply["seq"] = seq;
  return reply;
}

}  // namespace
}  // namespace llb

int main() {
  std::ios::sync_with_stdio(false);
  llb::Session session;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto reply = llb::reply_to(session, line);
    // ASCII only and with every control character escaped (SECURITY-5); cut characters are replaced.
    std::cout << reply.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << std::endl;
    if (reply["reply"] == "stopped") break;
  }
}
