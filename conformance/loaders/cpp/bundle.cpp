#include "bundle.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "fault.hpp"
#include "sha256.hpp"

namespace llb {
namespace {

namespace fs = std::filesystem;

// SECURITY-2 asks for 1000 members and 512 MiB at least.
constexpr std::size_t kMembers = 4096;
constexpr std::uint64_t kFileBytes = std::uint64_t{512} << 20;
constexpr std::uint64_t kAllBytes = std::uint64_t{1} << 30;

[[noreturn]] void refuse(const char* code, const std::string& path, const char* message) {
  throw Fault(code[4] == 'I' ? "integrity" : "archive", code, path, message);
}

/// Whether Windows takes a name for a device, whatever stands behind its first dot.
bool is_device(const std::string& part) {
  static const std::set<std::string> devices = {"con", "prn", "aux", "nul"};
  const std::string stem = without_case(part.substr(0, part.find('.')));
  const bool port = stem.size() == 4 && (stem.rfind("com", 0) == 0 || stem.rfind("lpt", 0) == 0);
  return devices.count(stem) == 1 || (port && stem[3] >= '1' && stem[3] <= '9');
}

bool is_allowed_part(const std::string& part) {
  const auto is_allowed = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || std::string("._+=,@-").find(letter) != std::string::npos;
  };
  return !part.empty() && part.front() != '.' && part.back() != '.' && !is_device(part) &&
         std::all_of(part.begin(), part.end(), is_allowed);
}

}  // namespace

bool is_allowed_path(const std::string& path) {
  std::istringstream parts(path + "/");
  std::string part;
  while (std::getline(parts, part, '/')) {
    if (!is_allowed_part(part)) return false;
  }
  return !path.empty() && path.size() <= 200;
}

std::string without_case(const std::string& path) {
  std::string lower = path;
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

Directory::Directory(const std::string& root) : root_(root) {
  std::error_code error;
  const fs::file_status kind = fs::status(root, error);
  if (fs::is_regular_file(kind)) throw Unsupported("archives");
  if (!fs::is_directory(kind)) refuse("LLB-A001", "", "there is no bundle at this path");
  std::set<std::string> seen;
  std::uint64_t all = 0;
  std::size_t members = 0;
  // By default the iterator does not enter directories that are links.
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = entry.path().lexically_relative(root).generic_string();
    if (!is_allowed_path(path)) refuse("LLB-A004", path, "a path that is not allowed");
    if (++members > kMembers) refuse("LLB-A007", "", "too many files");
    const fs::file_status status = entry.symlink_status();
    if (fs::is_directory(status)) continue;
    if (!fs::is_regular_file(status)) refuse("LLB-A005", path, "a link or special file");
    if (!seen.insert(without_case(path)).second) refuse("LLB-A006", path, "two paths differ in case only");
    const std::uint64_t size = entry.file_size();
    all += size;
    if (size > kFileBytes || all > kAllBytes) refuse("LLB-A008", path, "too large");
    sizes_[path] = size;
  }
  if (sizes_.count(kManifest) == 0) refuse("LLB-A010", "", "there is no manifest.json");
}

std::string Directory::read(const std::string& path) const {
  if (sizes_.count(path) == 0) refuse("LLB-I003", path, "the file is missing");
  std::ifstream stream(fs::path(root_) / path, std::ios::binary);
  std::string bytes(sizes_.at(path), '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

std::map<std::string, std::string> Directory::read_listed(const Manifest& manifest) const {
  std::map<std::string, std::string> contents;
  std::set<std::string> listed = {kManifest};
  for (const FileEntry& file : manifest.files) {
    listed.insert(file.path);
    std::string bytes = read(file.path);
    if (bytes.size() != file.bytes) refuse("LLB-I002", file.path, "the size differs from the manifest");
    if (sha256(bytes) != file.sha256) refuse("LLB-I001", file.path, "the digest differs from the manifest");
    if (file.role == "graph" || file.role == "vectors") contents[file.path] = std::move(bytes);
  }
  for (const auto& item : sizes_) {
    if (listed.count(item.first) == 0) refuse("LLB-I004", item.first, "the file is not listed");
  }
  return contents;
}

}  // namespace llb
