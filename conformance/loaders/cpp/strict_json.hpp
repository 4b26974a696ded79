// JSON of bundles (CONTAINER-6, CONTAINER-7, SECURITY-2): no two parsers may disagree about what it says.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace llb {

/// The document of a file; throws a Fault at `stage` and `path` where common parsers would be lenient.
nlohmann::json parse_strict(const std::string& text, std::size_t most_bytes, const std::string& stage,
                            const std::string& path);

}  // namespace llb
