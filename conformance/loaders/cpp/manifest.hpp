// The manifest: what this loader needs of it, after every rule about its form and meaning has been checked.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace llb {

struct Curve {
  std::string name;
  std::size_t column;  // of the graph's output; an alias has its target's
  double baseline;
  bool alias;
};

struct Signature {
  std::string name;
  bool single;  // float32
  std::int64_t columns;
};

struct GraphEntry {
  std::string role;
  std::string path;
  std::int64_t opset;
  Signature input;
  std::vector<Signature> outputs;
};

struct FileEntry {
  std::string path;
  std::uint64_t bytes;
  std::string sha256;
  std::string role;
};

struct Manifest {
  std::string format_version;
  std::string id;
  std::string version;
  std::vector<std::string> bins;               // ids by column
  std::vector<bool> optional;                  // by column: whether a signal may leave the bin out
  std::map<std::string, std::size_t> columns;  // by bin id, and by bare name of channels with one bin
  std::vector<Curve> curves;
  std::size_t own_curves = 0;  // those that are no alias
  std::vector<double> lower;   // the domain's box, by column
  std::vector<double> upper;
  double delta_nll_max = std::numeric_limits<double>::infinity();  // its truncation
  std::vector<GraphEntry> graphs;                                  // that of role delta_nll first
  std::size_t sigma = 0;  // number of the output that is the stated error; 0 for none
  std::string vectors;    // path of the test vectors
  std::vector<FileEntry> files;
};

/// Throws a Fault for a version, family or feature that this loader does not have, and for every rule broken.
Manifest read_manifest(const nlohmann::json& document);

/// The rule of versions (VERSION-7); returns whether unknown keys are to be ignored. Throws a Fault.
bool check_version(const nlohmann::json& document, const std::string& format, const std::string& stage,
                   const std::string& path);

}  // namespace llb
