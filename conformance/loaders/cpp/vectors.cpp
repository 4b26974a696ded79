#include "vectors.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "fault.hpp"
#include "form.hpp"
#include "likelihood.hpp"
#include "strict_json.hpp"

namespace llb {
namespace {

using nlohmann::json;

constexpr std::size_t kBytes = std::size_t{16} << 20;
constexpr double kBelowZero = -0.008;  // NUMERICS-5

Form vectors_form() {
  const Form part = number(0, 1e-3);
  const Form tolerance = object({{"absolute", part}, {"relative", part}, {"derivation", text(1, 2000)}});
  const auto is_curve = matches("(observed|apriori)(_asimov)?");
  return object({
      {"format", one_of({"llb-vectors"})},
      {"format_version", text(5, 20)},
      {"graph", one_of({"delta_nll"})},
      {"tolerance", object({{"delta_nll", tolerance}})},
      {"cases", list(object({{"name", text(1, 100)},
                             {"signal", mapping([](const std::string&) { return true; }, number(-1e15, 1e15), 10000)},
                             {"delta_nll", mapping(is_curve, number(), 4)}}),
                     1, 10000)},
  });
}

}  // namespace

Vectors::Vectors(const std::string& text, const Manifest& manifest)
    : expected_(manifest.own_curves), path_(manifest.vectors) {
  const json document = parse_strict(text, kBytes, "integrity", path_);
  const bool lenient = check_version(document, "llb-vectors", "integrity", path_);
  const Place place{"integrity", path_, "", lenient};
  static const Form form = vectors_form();
  form(document, place);
  absolute_ = document["tolerance"]["delta_nll"]["absolute"];
  relative_ = document["tolerance"]["delta_nll"]["relative"];
  std::set<std::string> names;
  for (std::size_t i = 0; i < document["cases"].size(); ++i) {
    const json& item = document["cases"][i];
    const Place at = place.under("cases").under(std::to_string(i));
    if (!names.insert(item["name"]).second) place.under("cases").refuse("LLB-M028", "two cases have one name");
    std::vector<double>& point = points_.emplace_back();
    for (const std::string& bin : manifest.bins) point.push_back(item["signal"].value(bin, std::nan("")));
    const bool complete = std::none_of(point.begin(), point.end(), [](double events) { return std::isnan(events); });
    if (!complete || item["signal"].size() != point.size()) {
      at.under("signal").refuse("LLB-M022", "not the bundle's bins");
    }
    zero_.push_back(std::all_of(point.begin(), point.end(), [](double events) { return events == 0.0; }));
    for (const Curve& curve : manifest.curves) {
      if (curve.alias) continue;
      const bool there = item["delta_nll"].contains(curve.name) && item["delta_nll"].size() == manifest.own_curves;
      if (!there) at.under("delta_nll").refuse("LLB-M023", "not the bundle's curves");
      expected_[curve.column].push_back(item["delta_nll"][curve.name]);
      if (zero_.back() && expected_[curve.column].back() != 0.0) {
        at.under("delta_nll").under(curve.name).refuse("LLB-M024", "not exactly 0");
      }
    }
  }
  if (std::find(zero_.begin(), zero_.end(), true) == zero_.end()) {
    place.under("cases").refuse("LLB-M024", "the zero signal is missing");
  }
}

void Vectors::check(const Likelihood& likelihood) const {
  const auto require = [](bool right, const char* code, const std::string& place, const char* message) {
    if (!right) throw Fault("numbers", code, place, message);
  };
  const auto close = [this](double got, double wanted) {  // NaN is not close to anything
    return std::isfinite(got) && std::abs(got - wanted) <= absolute_ + relative_ * std::abs(wanted);
  };
  const Manifest& manifest = likelihood.manifest();
  const Values together = likelihood.evaluate(points_);
  const Values edge = likelihood.evaluate({manifest.lower, manifest.upper});
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const Values alone = likelihood.evaluate({points_[i]});
    const std::string place = path_ + "#/cases/" + std::to_string(i);
    for (std::size_t column = 0; column < expected_.size(); ++column) {
      const double got = together.delta_nll[column][i];
      const double wanted = expected_[column][i];
      require(zero_[i] ? got == wanted : close(got, wanted), "LLB-N001", place, "a test vector is not reproduced");
      require(!zero_[i] || alone.delta_nll[column][0] == 0.0, "LLB-N002", "/graphs", "zero is not exact");
      require(close(alone.delta_nll[column][0], got), "LLB-N003", place, "another value alone than in a batch");
      if (manifest.sigma == 0) continue;
      for (const double sigma : {together.sigma[column][i], alone.sigma[column][0]}) {
        require(std::isfinite(sigma) && sigma >= 0.0, "LLB-N010", "/uncertainty/output", "negative or not finite");
        require(!zero_[i] || sigma == 0.0, "LLB-N011", "/uncertainty/output", "not 0 for the zero signal");
      }
      require(close(alone.sigma[column][0], together.sigma[column][i]), "LLB-N012", place,
              "another error alone than in a batch");
    }
    require(!together.outside[i], "LLB-M025", place, "a test vector lies outside of the domain");
  }
  for (const Curve& curve : manifest.curves) {
    for (const double value : edge.delta_nll[curve.column]) {
      require(std::isfinite(value), "LLB-N004", "/domain", "not finite on the edge of the domain");
    }
    const auto& values = together.delta_nll[curve.column];
    const bool asimov = curve.name.size() > 8 && curve.name.substr(curve.name.size() - 6) == "asimov";
    require(!asimov || *std::min_element(values.begin(), values.end()) >= kBelowZero, "LLB-N005", "/curves",
            "an Asimov curve is negative");
  }
}

}  // namespace llb
