#include "strict_json.hpp"

#include <cmath>
#include <set>
#include <vector>

#include "fault.hpp"

namespace llb {
namespace {

constexpr std::size_t kDepth = 64;
constexpr double kFirstUnsafe = 9007199254740992.0;  // 2^53: from here on a double skips integers

/// Whether the bytes are UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
bool is_utf8(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const unsigned lead = static_cast<unsigned char>(text[at]);
    const std::size_t more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : 4;
    if (more == 4 || at + more >= text.size()) return false;
    unsigned long point = more == 0 ? lead : lead & (0x3fU >> more);
    for (std::size_t i = 1; i <= more; ++i) {
      const unsigned next = static_cast<unsigned char>(text[at + i]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3fU);
    }
    constexpr unsigned long least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    at += more + 1;
  }
  return true;
}

/// Walks through the text as the parser sees it, and stops at what a tree of values could no longer show.
class Inspector : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Inspector(const std::string& text) : text_(text) {}

  std::string code;  // of the catalogue, once the walk has stopped
  std::string message;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override { return number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return deeper(); }
  bool end_object() override { return keys_.pop_back(), true; }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override { return keys_.pop_back(), true; }

  // The parser has resolved escapes: "id" and "i\u0064" are the same key here.
  bool key(string_t& name) override {
    return keys_.back().insert(name).second || stop("LLB-P006", "the key " + name + " occurs twice");
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    const std::string what = error.what();
    if (error.id == 406) return stop("LLB-P005", "a number is beyond the range of a double");
    if (what.find("surrogate") != std::string::npos) return stop("LLB-P009", "half of a surrogate pair");
    // The parser stops at the first letter.
    const std::string word = position == 0 || position > text_.size() ? "" : text_.substr(position - 1, 3);
    if (word == "NaN" || word == "Inf") return stop("LLB-P004", "NaN or Infinity");
    return stop("LLB-P003", what);
  }

 private:
  bool stop(const char* with_code, const std::string& with_message) {
    code = with_code;
    message = with_message;
    return false;
  }

  // Every double from 2^53 on is a whole number, so that this is the rule for integers however they are written.
  bool number(double value) {
    return std::abs(value) < kFirstUnsafe || stop("LLB-P005", "an integer of 2^53 or more");
  }

  bool deeper() {
    keys_.emplace_back();
    return keys_.size() <= kDepth || stop("LLB-P007", "the document is nested too deeply");
  }

  const std::string& text_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open; empty for an array
};

}  // namespace

nlohmann::json parse_strict(const std::string& text, std::size_t most_bytes, const std::string& stage,
                            const std::string& path) {
  const auto refuse = [&](const std::string& code, const std::string& message) {
    throw Fault(stage, code, path, message);
  };
  const auto begins = [&](const char* mark) { return text.rfind(mark, 0) == 0; };
  if (text.size() > most_bytes) refuse("LLB-P008", "the document is too large");
  // The parser would skip the mark of UTF-8 in silence.
  if (begins("\xef\xbb\xbf") || begins("\xff\xfe") || begins("\xfe\xff")) refuse("LLB-P002", "a byte order mark");
  if (!is_utf8(text)) refuse("LLB-P001", "the document is not UTF-8");
  Inspector inspector(text);
  if (!nlohmann::json::sax_parse(text, &inspector)) refuse(inspector.code, inspector.message);
  return nlohmann::json::parse(text);
}

}  // namespace llb
