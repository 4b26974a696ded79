// The container: a directory of regular files with allowed names, all of them listed and unchanged.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "manifest.hpp"

namespace llb {

inline const std::string kManifest = "manifest.json";

/// Whether a path may stand in a bundle (CONTAINER-3).
bool is_allowed_path(const std::string& path);
/// The path as file systems see it that do not tell `A` from `a`.
std::string without_case(const std::string& path);

/// A bundle directory. Its files are looked at once, and links are never followed.
class Directory {
 public:
  /// Throws a Fault for what must not be in a bundle, and Unsupported for an archive.
  explicit Directory(const std::string& root);

  /// The bytes of a file; throws a Fault if there is no such file.
  std::string read(const std::string& path) const;

  /// The bytes of all listed files but figures, tables and the like, of which only the digest is looked at.
  /// Throws a Fault unless the list is complete and every size and digest is right (INTEGRITY-1, INTEGRITY-2).
  std::map<std::string, std::string> read_listed(const Manifest& manifest) const;

 private:
  std::string root_;
  std::map<std::string, std::uint64_t> sizes_;  // by path
};

}  // namespace llb
