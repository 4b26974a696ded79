// Why something is refused.
#pragma once

#include <stdexcept>
#include <string>

namespace llb {

/// A reason to refuse a bundle or a request, in the terms of the protocol: stage, code of the catalogue, place.
struct Fault : std::runtime_error {
  Fault(std::string at_stage, std::string with_code, std::string at_place, const std::string& message)
      : std::runtime_error(message),
        stage(std::move(at_stage)),
        code(std::move(with_code)),
        place(std::move(at_place)) {}

  std::string stage;
  std::string code;
  std::string place;  // JSON pointer or path of the culprit; empty for the bundle as a whole
};

/// Something that the format has and this loader does not: no fault of the bundle.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace llb
