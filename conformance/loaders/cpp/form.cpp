#include "form.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <regex>
#include <vector>

#include "fault.hpp"

namespace llb {
namespace {

using nlohmann::json;

void expect(bool right, const Place& place, const char* code, const char* message) {
  if (!right) place.refuse(code, message);
}

/// Lengths are counted in characters, as JSON Schema does.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char byte) { return byte >> 6 != 2; }));
}

}  // namespace

void Place::refuse(const std::string& code, const std::string& message) const {
  throw Fault(stage, code, path.empty() ? pointer : path + "#" + pointer, message);
}

Form number(double least, double most) {
  return [=](const json& value, const Place& place) {
    expect(value.is_number(), place, "LLB-S003", "not a number");
    const auto x = value.get<double>();
    expect(x >= least && x <= most, place, "LLB-S006", "out of range");
  };
}

Form positive(double most) {
  return also(number(0.0, most), [](const json& value, const Place& place) {
    expect(value.get<double>() > 0.0, place, "LLB-S006", "not positive");
  });
}

Form integer(std::int64_t least, std::int64_t most) {
  return [=](const json& value, const Place& place) {
    // 1.0 is 1.
    expect(value.is_number() && std::trunc(value.get<double>()) == value.get<double>(), place, "LLB-S003",
           "not an integer");
    const auto x = value.get<double>();
    expect(x >= static_cast<double>(least) && x <= static_cast<double>(most), place, "LLB-S006", "out of range");
  };
}

Form truth() {
  return [](const json& value, const Place& place) {
    expect(value.is_boolean(), place, "LLB-S003", "neither true nor false");
  };
}

Form text(std::size_t least, std::size_t most, Test test) {
  return [=](const json& value, const Place& place) {
    expect(value.is_string(), place, "LLB-S003", "not a string");
    const auto& string = value.get_ref<const std::string&>();
    const std::size_t length = characters(string);
    expect(length >= least && length <= most && (!test || test(string)), place, "LLB-S005",
           "the string does not have the required form");
  };
}

Form one_of(std::initializer_list<json> values) {
  return [allowed = std::vector<json>(values)](const json& value, const Place& place) {
    expect(std::find(allowed.begin(), allowed.end(), value) != allowed.end(), place, "LLB-S004",
           "not one of the allowed values");
  };
}

Form list(Form item, std::size_t least, std::size_t most) {
  return [=](const json& value, const Place& place) {
    expect(value.is_array(), place, "LLB-S003", "not a list");
    expect(value.size() >= least && value.size() <= most, place, "LLB-S007", "too short or too long");
    for (std::size_t i = 0; i < value.size(); ++i) item(value[i], place.under(std::to_string(i)));
  };
}

Form tuple(std::initializer_list<Form> items) {
  return [forms = std::vector<Form>(items)](const json& value, const Place& place) {
    expect(value.is_array(), place, "LLB-S003", "not a list");
    expect(value.size() == forms.size(), place, "LLB-S007", "too short or too long");
    for (std::size_t i = 0; i < forms.size(); ++i) forms[i](value[i], place.under(std::to_string(i)));
  };
}

Form object(std::initializer_list<std::pair<const char*, Form>> keys) {
  struct Key {
    std::string name;
    bool optional;
    Form form;
  };
  std::vector<Key> known;
  for (const auto& [written, form] : keys) {
    const std::string name = written;
    const bool optional = name.back() == '?';
    known.push_back({name.substr(0, name.size() - optional), optional, form});
  }
  return [=](const json& value, const Place& place) {
    expect(value.is_object(), place, "LLB-S003", "not an object");
    for (const auto& entry : value.items()) {
      const auto is_it = [&](const Key& key) { return key.name == entry.key(); };
      expect(place.lenient || std::any_of(known.begin(), known.end(), is_it), place.under(entry.key()), "LLB-S002",
             "a key that the format does not know");
    }
    for (const auto& key : known) {
      if (value.contains(key.name)) {
        key.form(value.at(key.name), place.under(key.name));
      } else {
        expect(key.optional, place.under(key.name), "LLB-S001", "a required key is missing");
      }
    }
  };
}

Form mapping(Test test, Form value_form, std::size_t most) {
  return [=](const json& value, const Place& place) {
    expect(value.is_object(), place, "LLB-S003", "not an object");
    expect(value.size() <= most, place, "LLB-S007", "too many keys");
    for (const auto& entry : value.items()) {
      expect(test(entry.key()), place, "LLB-S002", "a key that does not have the required form");
      if (value_form) value_form(entry.value(), place.under(entry.key()));
    }
  };
}

Form also(Form form, Form rule) {
  return [=](const json& value, const Place& place) {
    form(value, place);
    rule(value, place);
  };
}

Test matches(const char* pattern) {
  return [regex = std::make_shared<const std::regex>(pattern)](const std::string& text) {
    return std::regex_match(text, *regex);
  };
}

bool is_printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

}  // namespace llb
