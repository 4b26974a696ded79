// SHA-256 (FIPS 180-4), so that the loader needs no library of cryptography for its one digest.
#pragma once

#include <string>

namespace llb {

/// The digest as 64 lower-case hexadecimal digits.
std::string sha256(const std::string& bytes);

}  // namespace llb
