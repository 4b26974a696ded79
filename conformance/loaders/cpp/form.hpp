// Forms of JSON values, as the schemas of the format have them: types, keys, ranges, patterns.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace llb {

/// Where a value stands, and how strictly its document is read.
struct Place {
  std::string stage;
  std::string path;      // of the file; empty for the manifest
  std::string pointer;   // of the value in the document
  bool lenient = false;  // of a newer minor version: unknown keys are ignored (VERSION-4)

  Place under(const std::string& key) const { return {stage, path, pointer + "/" + key, lenient}; }
  [[noreturn]] void refuse(const std::string& code, const std::string& message) const;
};

/// Throws a Fault where a value does not have the form.
using Form = std::function<void(const nlohmann::json&, const Place&)>;
using Test = std::function<bool(const std::string&)>;

constexpr double kAnything = std::numeric_limits<double>::max();

Form number(double least = -kAnything, double most = kAnything);
Form positive(double most);  // a number above 0
Form integer(std::int64_t least, std::int64_t most);
Form truth();
Form text(std::size_t least, std::size_t most, Test test = {});
Form one_of(std::initializer_list<nlohmann::json> values);
Form list(Form item, std::size_t least, std::size_t most);
Form tuple(std::initializer_list<Form> items);
/// An object of these keys and no others; keys that end in `?` may be missing.
Form object(std::initializer_list<std::pair<const char*, Form>> keys);
/// An object of any keys that pass the test, with values of one form.
Form mapping(Test test, Form value, std::size_t most);
/// The form, and then what only holds for some of its values.
Form also(Form form, Form rule);

Test matches(const char* pattern);          // a regular expression for all of the text
bool is_printable(const std::string& text);  // no control characters

}  // namespace llb
