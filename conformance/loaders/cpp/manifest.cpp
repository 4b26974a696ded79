#include "manifest.hpp"

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>

#include "bundle.hpp"
#include "fault.hpp"
#include "form.hpp"

namespace llb {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& code, const std::string& pointer, const std::string& message) {
  throw Fault("manifest", code, pointer, message);
}

void require(bool right, const char* code, const std::string& pointer, const char* message) {
  if (!right) refuse(code, pointer, message);
}

/// Keys that other keys or values ask for.
Form needs(std::initializer_list<const char*> keys, const char* other, const json& value) {
  return [=, keys = std::vector<std::string>(keys.begin(), keys.end())](const json& object, const Place& place) {
    if (!object.contains(other) || (!value.is_null() && object.at(other) != value)) return;
    for (const auto& key : keys) {
      if (!object.contains(key)) place.under(key).refuse("LLB-S001", "a required key is missing");
    }
  };
}

/// The manifest of a profile likelihood, as `urn:llb:schema:1.0:manifest` has it; 0.1 has the same keys.
Form manifest_form() {
  constexpr std::int64_t kMany = 1000000000000;
  const Form name = text(1, 200, is_printable);
  const Form title = text(1, 200);
  const Form path =
      text(1, 200, matches("[A-Za-z0-9_+=,@-][A-Za-z0-9._+=,@-]*(/[A-Za-z0-9_+=,@-][A-Za-z0-9._+=,@-]*)*"));
  const Form digest = text(64, 64, matches("[0-9a-f]{64}"));
  const Form bytes = integer(0, 9007199254740991);
  const Form coordinates = list(number(-1e15, 1e15), 1, 10000);
  const Form size = number(0, 1e15);
  const Form curve = one_of({"observed", "observed_asimov", "apriori", "apriori_asimov"});
  const Form software = list(object({{"name", title}, {"version", text(1, 100)}}), 0, 100);
  const Form tensor = object({{"name", text(1, 100, matches("[A-Za-z_][A-Za-z0-9_]{0,99}"))},
                              {"dtype", one_of({"float64", "float32"})},
                              {"shape", tuple({one_of({"batch"}), integer(1, 10000)})}});
  const Form author = object({{"name", title},
                              {"orcid?", text(19, 19, matches("[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]"))},
                              {"affiliation?", title}});
  const Form reference =
      object({{"kind", one_of({"doi", "arxiv", "inspire", "hepdata", "url"})}, {"value", text(1, 500)}});
  const Form analysis = object(
      {{"name", title}, {"experiment?", title}, {"sqrt_s?", positive(1000)}, {"luminosity?", positive(1e6)}});
  const Form interpolation =
      object({{"normsys", one_of({"code1", "code4"})}, {"histosys", one_of({"code0", "code2", "code4p"})}});
  const Form source = object({{"name", name}, {"bytes", bytes}, {"sha256", digest}});
  const Form channel = object({{"name", name}, {"bins", integer(1, 100000)}, {"samples", list(name, 0, 1000)}});
  Form teacher = object({{"kind", one_of({"histfactory", "simplified_likelihood"})},
                         {"files", list(source, 1, 100)},
                         {"pyhf_digest?", digest},
                         {"measurement?", name},
                         {"poi?", name},
                         {"interpolation?", interpolation},
                         {"channels", list(channel, 1, 10000)},
                         {"third_moments?", truth()},
                         {"software", software}});
  teacher = also(teacher, needs({"pyhf_digest", "measurement", "poi", "interpolation"}, "kind", "histfactory"));
  teacher = also(teacher, needs({"third_moments"}, "kind", "simplified_likelihood"));
  const auto is_bin = [](const std::string& id) {
    static const Test is_index = matches("\\[(0|[1-9][0-9]{0,5})\\]");
    const std::size_t bracket = id.rfind('[');
    return is_printable(id) && bracket != std::string::npos && bracket > 0 && is_index(id.substr(bracket));
  };
  const Form input = object({{"id", text(4, 212, is_bin)},
                             {"channel", name},
                             {"index", integer(0, 99999)},
                             {"role", one_of({"SR", "CR", "VR"})},
                             {"column", integer(0, 9999)},
                             {"observed", size},
                             {"background", size},
                             {"signal_optional", truth()}});
  const Form auxiliary = object({{"name", name}, {"values", list(number(), 0, 10000)}});
  const Form data = object({{"main", list(size, 1, 10000)}, {"auxiliary", list(auxiliary, 0, 100000)}});
  Form one_curve = object({{"name", curve},
                           {"column", integer(0, 3)},
                           {"baseline_nll", number()},
                           {"data", data},
                           {"alias_of?", curve},
                           {"alias_max_difference?", number(0, 1)}});
  one_curve = also(one_curve, needs({"alias_max_difference"}, "alias_of", nullptr));
  one_curve = also(one_curve, needs({"alias_of"}, "alias_max_difference", nullptr));
  const Form domain = object({{"lower", coordinates},
                              {"upper", coordinates},
                              {"truncation?", object({{"delta_nll_max", positive(1e9)}})}});
  const Form coverage = object({{"curve", curve},
                                {"points", integer(1, kMany)},
                                {"within_68", number(0, 1)},
                                {"within_95", number(0, 1)}});
  Form uncertainty = object({{"kind", one_of({"none", "ensemble_spread"})},
                             {"output?", text(1, 100)},
                             {"method?", text(1, 5000)},
                             {"coverage?", list(coverage, 0, 4)}});
  uncertainty = also(uncertainty, needs({"output", "method", "coverage"}, "kind", "ensemble_spread"));
  const Form graph = object({{"role", one_of({"delta_nll", "delta_nll_float32"})},
                             {"path", path},
                             {"opset", integer(17, 21)},
                             {"input", tensor},
                             {"outputs", list(tensor, 1, 4)}});
  const Form metric = object({{"curve", curve},
                              {"region", one_of({"decision", "tail", "near_zero", "all"})},
                              {"count", integer(0, kMany)},
                              {"median", size},
                              {"p95", size},
                              {"p99", size},
                              {"max", size}});
  const Form validation = object({{"vectors", path},
                                  {"heldout", path},
                                  {"method", text(1, 5000)},
                                  {"metrics", list(metric, 0, 100)},
                                  {"benchmarks?", path}});
  const Form role =
      one_of({"graph", "vectors", "heldout", "benchmarks", "figure", "provenance", "card", "license"});
  const Form file = object({{"path", path},
                            {"bytes", bytes},
                            {"sha256", digest},
                            {"media_type", text(3, 100, matches("[a-z]+/[a-z0-9][a-z0-9.+-]*"))},
                            {"role", role}});
  const char* version = "(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})(-[0-9A-Za-z.-]{1,30})?";
  const char* created =
      "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z";
  const Test is_namespaced = matches("(?=.{3,100}$)[a-z][a-z0-9-]*(\\.[a-z0-9][a-z0-9_-]*)+");
  return object({
      {"format", one_of({"llb"})},
      {"format_version", text(5, 20)},
      {"id", text(1, 100, matches("[a-z0-9][a-z0-9._-]{0,99}"))},
      {"version", text(5, 60, matches(version))},
      {"title", text(1, 300)},
      {"authors", list(author, 1, 5000)},
      {"license", text(1, 100, matches("[A-Za-z0-9.+() :-]+"))},
      {"references", list(reference, 0, 100)},
      {"created", text(20, 20, matches(created))},
      {"supersedes?", text(7, 170, matches("[a-z0-9][a-z0-9._-]{0,99}@[0-9][0-9A-Za-z.-]{4,60}"))},
      {"analysis", analysis},
      {"teacher", teacher},
      {"family", one_of({"profile_likelihood"})},
      {"inputs", list(input, 1, 10000)},
      {"mu", object({{"convention", one_of({"scales_signal"})}})},
      {"curves", list(one_curve, 1, 4)},
      {"signal_model",
       object({{"modifiers", list(one_of({"lumi"}), 0, 1)}, {"relative_uncertainty", number(0, 10)}})},
      {"domain", domain},
      {"uncertainty", uncertainty},
      {"graphs", list(graph, 1, 2)},
      {"validation", validation},
      {"provenance", object({{"software", software}, {"labels?", path}, {"training?", path}})},
      {"files", list(file, 1, 1000)},
      {"required_features", list(text(1, 100, matches("[a-z][a-z0-9_.-]*")), 0, 100)},
      {"extensions", mapping(is_namespaced, {}, 100)},
  });
}

/// Whether the columns are 0 to n-1, each once.
bool complete(std::vector<std::int64_t> columns) {
  std::sort(columns.begin(), columns.end());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

std::int64_t whole(const json& value) { return static_cast<std::int64_t>(value.get<double>()); }

void read_inputs(const json& document, Manifest& manifest) {
  std::map<std::string, std::int64_t> channels;
  for (const auto& channel : document["teacher"]["channels"]) {
    require(channels.emplace(channel["name"], whole(channel["bins"])).second, "LLB-M043", "/teacher/channels",
            "two channels of the teacher have the same name");
  }
  const json& inputs = document["inputs"];
  std::set<std::string> ids;
  std::vector<std::int64_t> columns;
  std::map<std::string, std::vector<std::int64_t>> indices;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string place = "/inputs/" + std::to_string(i);
    const std::string channel = inputs[i]["channel"];
    const std::int64_t index = whole(inputs[i]["index"]);
    require(inputs[i]["id"] == channel + "[" + std::to_string(index) + "]", "LLB-M001", place + "/id",
            "the id is not <channel>[<index>]");
    require(ids.insert(inputs[i]["id"]).second, "LLB-M002", "/inputs", "two inputs have the same id");
    require(channels.count(channel) == 1, "LLB-M020", place + "/channel", "the teacher has no such channel");
    require(index < channels[channel], "LLB-M020", place + "/index", "the channel has fewer bins");
    const auto observed = inputs[i]["observed"].get<double>();
    require(std::trunc(observed) == observed, "LLB-M031", place + "/observed", "not a whole number of events");
    columns.push_back(whole(inputs[i]["column"]));
    indices[channel].push_back(index);
  }
  require(complete(columns), "LLB-M003", "/inputs", "the columns are not 0 to n-1, each once");
  for (const auto& item : indices) {
    require(complete(item.second), "LLB-M004", "/inputs", "a bin before a given one is missing");
  }
  manifest.bins.resize(inputs.size());
  manifest.optional.resize(inputs.size());
  for (const auto& input : inputs) {
    const auto column = static_cast<std::size_t>(whole(input["column"]));
    manifest.bins[column] = input["id"];
    manifest.optional[column] = input["signal_optional"];
    manifest.columns[input["id"]] = column;
  }
  for (const auto& input : inputs) {  // after all ids: a bare name that looks like an id does not hide it
    if (channels[input["channel"]] == 1) manifest.columns.emplace(input["channel"], whole(input["column"]));
  }
}

void read_curves(const json& document, Manifest& manifest) {
  const json& curves = document["curves"];
  std::map<std::string, json> by_name;
  std::vector<std::int64_t> columns;
  for (const auto& curve : curves) {
    require(by_name.emplace(curve["name"], curve).second, "LLB-M005", "/curves", "two curves have the same name");
    if (!curve.contains("alias_of")) columns.push_back(whole(curve["column"]));
  }
  require(by_name.count("observed") == 1, "LLB-M012", "/curves", "there is no observed curve");
  require(complete(columns), "LLB-M006", "/curves", "the columns are not 0 to n-1, each once");
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string place = "/curves/" + std::to_string(i);
    const json& curve = curves[i];
    const bool alias = curve.contains("alias_of");
    if (alias) {
      const auto target = by_name.find(curve["alias_of"]);
      require(target != by_name.end() && !target->second.contains("alias_of"), "LLB-M007", place + "/alias_of",
              "the alias does not lead to a curve that is no alias");
      require(target->second["column"] == curve["column"], "LLB-M007", place + "/column",
              "the alias has another column than its target");
    }
    const json& main = curve["data"]["main"];
    require(main.size() == manifest.bins.size(), "LLB-M010", place + "/data/main", "not one number per input");
    for (const auto& input : document["inputs"]) {
      const auto column = static_cast<std::size_t>(whole(input["column"]));
      require(curve["name"] != "observed" || main[column] == input["observed"], "LLB-M011",
              place + "/data/main/" + std::to_string(column), "not the observed count of the input");
    }
    const json& auxiliary = curve["data"]["auxiliary"];
    const json& expected = curves[0]["data"]["auxiliary"];
    const auto same = [](const json& one, const json& other) {
      return one["name"] == other["name"] && one["values"].size() == other["values"].size();
    };
    require(std::equal(auxiliary.begin(), auxiliary.end(), expected.begin(), expected.end(), same), "LLB-M029",
            place + "/data/auxiliary", "not the parts that the first curve has");
    manifest.curves.push_back(
        {curve["name"], static_cast<std::size_t>(whole(curve["column"])), curve["baseline_nll"], alias});
  }
  manifest.own_curves = columns.size();
  for (const auto& metric : document["validation"]["metrics"]) {
    require(by_name.count(metric["curve"]) == 1, "LLB-M019", "/validation/metrics", "a metric of no curve");
  }
  std::set<std::string> covered;
  for (const auto& entry : document["uncertainty"].value("coverage", json::array())) {
    const auto curve = by_name.find(entry["curve"]);
    require(curve != by_name.end() && !curve->second.contains("alias_of") && covered.insert(curve->first).second,
            "LLB-M042", "/uncertainty/coverage", "not a curve that is no alias, once");
  }
}

void read_domain(const json& domain, Manifest& manifest) {
  manifest.lower = domain["lower"].get<std::vector<double>>();
  manifest.upper = domain["upper"].get<std::vector<double>>();
  if (domain.contains("truncation")) manifest.delta_nll_max = domain["truncation"]["delta_nll_max"];
  const std::size_t bins = manifest.bins.size();
  require(manifest.lower.size() == bins, "LLB-M008", "/domain/lower", "not one number per input");
  require(manifest.upper.size() == bins, "LLB-M008", "/domain/upper", "not one number per input");
  for (std::size_t i = 0; i < bins; ++i) {
    const double lower = manifest.lower[i];
    const double upper = manifest.upper[i];
    require(lower <= 0.0 && upper >= 0.0 && lower < upper, "LLB-M009", "/domain/upper/" + std::to_string(i),
            "the zero signal is not inside");
  }
}

void read_graphs(const json& document, Manifest& manifest) {
  const auto signature = [](const json& tensor) {
    return Signature{tensor["name"], tensor["dtype"] == "float32", whole(tensor["shape"][1])};
  };
  for (const auto& graph : document["graphs"]) {
    GraphEntry entry{graph["role"], graph["path"], whole(graph["opset"]), signature(graph["input"]), {}};
    for (const auto& tensor : graph["outputs"]) entry.outputs.push_back(signature(tensor));
    manifest.graphs.push_back(entry);
  }
  std::sort(manifest.graphs.begin(), manifest.graphs.end(),
            [](const GraphEntry& one, const GraphEntry& other) { return one.role < other.role; });
  require(manifest.graphs[0].role == "delta_nll", "LLB-M017", "/graphs", "there is no graph of role delta_nll");
  for (std::size_t i = 0; i < manifest.graphs.size(); ++i) {
    const GraphEntry& graph = manifest.graphs[i];
    require(i == 0 || graph.role != "delta_nll", "LLB-M017", "/graphs", "two graphs of one role");
    require(graph.input.columns == static_cast<std::int64_t>(manifest.bins.size()), "LLB-M018",
            "/graphs/" + std::to_string(i) + "/input/shape", "not one column per input");
    for (const Signature& output : graph.outputs) {
      require(output.columns == static_cast<std::int64_t>(manifest.own_curves), "LLB-M018",
              "/graphs/" + std::to_string(i) + "/outputs", "not one column per curve that is no alias");
    }
  }
  const json& uncertainty = document["uncertainty"];
  if (uncertainty["kind"] == "none") {
    require(uncertainty.size() == 1, "LLB-M021", "/uncertainty", "keys of an error that is not stated");
    return;
  }
  const auto& outputs = manifest.graphs[0].outputs;
  const auto is_it = [&](const Signature& output) { return output.name == uncertainty["output"]; };
  manifest.sigma = static_cast<std::size_t>(std::find_if(outputs.begin(), outputs.end(), is_it) - outputs.begin());
  require(manifest.sigma != 0 && manifest.sigma < outputs.size(), "LLB-M021", "/uncertainty/output",
          "not a further output of the graph");
  require(outputs[manifest.sigma].single == outputs[0].single, "LLB-M041", "/uncertainty/output",
          "not of the type of the first output");
}

void read_files(const json& document, Manifest& manifest) {
  std::set<std::string> seen;
  std::map<std::string, std::string> roles;
  for (std::size_t i = 0; i < document["files"].size(); ++i) {
    const json& file = document["files"][i];
    const std::string place = "/files/" + std::to_string(i) + "/path";
    const std::string path = file["path"];
    require(is_allowed_path(path) && seen.insert(without_case(path)).second, "LLB-M016", place,
            "a path that is not allowed, or is there twice");
    require(without_case(path) != kManifest, "LLB-I005", place, "the manifest lists itself");
    manifest.files.push_back(
        {path, static_cast<std::uint64_t>(whole(file["bytes"])), file["sha256"], file["role"]});
    roles[path] = file["role"];
  }
  const auto use = [&](const json& path, const std::string& role, const std::string& place) {
    require(roles.count(path) == 1, "LLB-M014", place, "the file is not listed");
    require(roles[path] == role, "LLB-M015", place, "the file is listed under another role");
  };
  for (std::size_t i = 0; i < document["graphs"].size(); ++i) {
    use(document["graphs"][i]["path"], "graph", "/graphs/" + std::to_string(i) + "/path");
  }
  for (const char* key : {"vectors", "heldout", "benchmarks"}) {
    const json& validation = document["validation"];
    if (validation.contains(key)) use(validation[key], key, std::string("/validation/") + key);
  }
  for (const char* key : {"labels", "training"}) {
    const json& provenance = document["provenance"];
    if (provenance.contains(key)) use(provenance[key], "provenance", std::string("/provenance/") + key);
  }
  manifest.vectors = document["validation"]["vectors"];
}

}  // namespace

bool check_version(const json& document, const std::string& format, const std::string& stage,
                   const std::string& path) {
  const Place place{stage, path, ""};
  const Place version = place.under("format_version");
  if (!document.is_object()) place.refuse("LLB-S003", "not an object");
  if (!document.contains("format") || document["format"] != format) {
    place.under("format").refuse("LLB-S013", "the format is not " + format);
  }
  static const std::regex form("(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})");
  std::smatch parts;
  const json value = document.value("format_version", json());
  const std::string written = value.is_string() ? value.get<std::string>() : "";
  if (!std::regex_match(written, parts, form)) version.refuse("LLB-S014", "the version cannot be read");
  const int major = std::stoi(parts[1]);
  const int minor = std::stoi(parts[2]);
  const int patch = std::stoi(parts[3]);
  if (major > 1) version.refuse("LLB-S010", "version " + written + " is newer than 1.0");
  if (major == 0 && minor != 1) version.refuse("LLB-S015", "version " + written + " is neither 0.1 nor 1.0");
  return major == 0 ? patch > 0 : minor > 0;
}

Manifest read_manifest(const json& document) {
  const bool lenient = check_version(document, "llb", "manifest", "");
  // Before all else, so that what needs a newer reader is not taken for a document with faults (FAMILY-2).
  if (document.contains("required_features") && document["required_features"].is_array()) {
    for (const auto& feature : document["required_features"]) {
      if (feature.is_string()) refuse("LLB-S012", "/required_features/0", "a feature that this loader lacks");
    }
  }
  const std::string version = document["format_version"];
  const json family = document.value("family", json());
  const bool reserved = family == "full_likelihood" || family == "parameter_likelihood";
  if (family.is_string() && family != "profile_likelihood" && (lenient || (reserved && version[0] == '1'))) {
    refuse("LLB-S018", "/family", "this loader has no family " + family.get<std::string>());
  }
  static const Form form = manifest_form();
  form(document, {"manifest", "", "", lenient});
  for (const char* key : {"parameters", "conditions", "density"}) {
    require(!document.contains(key), "LLB-S002", std::string("/") + key, "a key of another family");
  }
  Manifest manifest;
  manifest.format_version = version;
  manifest.id = document["id"];
  manifest.version = document["version"];
  read_inputs(document, manifest);
  read_curves(document, manifest);
  read_domain(document["domain"], manifest);
  read_graphs(document, manifest);
  read_files(document, manifest);
  return manifest;
}

}  // namespace llb
