// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/message_rules.h"

#include <charconv>

namespace gaggle::http2 {

namespace {

constexpr uint64_t kPseudo = mask_of(HeaderName::kOtherPseudo) | mask_of(HeaderName::kAuthority) |
                             mask_of(HeaderName::kMethod) | mask_of(HeaderName::kPath) | mask_of(HeaderName::kScheme) |
                             mask_of(HeaderName::kStatus);
constexpr uint64_t kRequestPseudo = mask_of(HeaderName::kMethod) | mask_of(HeaderName::kScheme) |
                                    mask_of(HeaderName::kPath) | mask_of(HeaderName::kAuthority);
constexpr uint64_t kRequiredInRequest =
    mask_of(HeaderName::kMethod) | mask_of(HeaderName::kScheme) | mask_of(HeaderName::kPath);
// RFC 9113 §8.2.2: fields that speak about an HTTP/1.1 connection make a message malformed.
constexpr uint64_t kConnectionSpecific = mask_of(HeaderName::kConnection) | mask_of(HeaderName::kKeepAlive) |
                                         mask_of(HeaderName::kProxyConnection) |
                                         mask_of(HeaderName::kTransferEncoding) | mask_of(HeaderName::kUpgrade);

constexpr uint8_t kFatalProblems = HeaderProblem::kEmptyName | HeaderProblem::kUppercaseName |
                                   HeaderProblem::kBadNameCharacter | HeaderProblem::kBadValueCharacter |
                                   HeaderProblem::kPseudoAfterRegular;

bool has_any(const HeaderBlock& block, uint64_t names) { return (block.names() & names) != 0; }
bool has_all(const HeaderBlock& block, uint64_t names) { return (block.names() & names) == names; }

std::string_view value_of(const HeaderBlock& block, HeaderName id) {
  const HeaderField* const field = block.find(id);
  return field != nullptr ? field->value : std::string_view();
}

bool is_trailers(std::string_view te) {
  constexpr std::string_view kTrailers = "trailers";
  if (te.size() != kTrailers.size()) return false;
  for (size_t i = 0; i < te.size(); ++i) {
    if ((te[i] | 0x20) != kTrailers[i]) return false;
  }
  return true;
}

// What holds for all three: §8.2.1 characters, §8.2.2 connection-specific fields, §8.3 order.
std::string_view check_fields(const HeaderBlock& block) {
  if ((block.problems() & kFatalProblems) != 0) {
    return (block.problems() & HeaderProblem::kPseudoAfterRegular) != 0 ? "pseudo-header behind a regular field"
                                                                        : "invalid character in a field";
  }
  if (has_any(block, kConnectionSpecific)) return "connection-specific field";
  // "The only exception to this is the TE header field, which MAY be present in an HTTP/2 request;
  // when it is, it MUST NOT contain any value other than 'trailers'."
  if (block.has(HeaderName::kTe)) {
    for (const HeaderField& field : block.fields()) {
      if (field.id == HeaderName::kTe && !is_trailers(field.value)) return "te other than trailers";
    }
  }
  return {};
}

bool padded_pseudo(const HeaderBlock& block) {
  if ((block.problems() & HeaderProblem::kPaddedValue) == 0) return false;
  for (const HeaderField& field : block.fields()) {
    if (is_pseudo(field.id) && (field.problems & HeaderProblem::kPaddedValue) != 0) return true;
  }
  return false;
}

bool parse_number(std::string_view text, int64_t& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;  // from_chars would take a '-'
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view check_content_length(const HeaderBlock& block, MessageRules& rules) {
  if (!block.has(HeaderName::kContentLength)) return {};
  if ((block.repeated_names() & mask_of(HeaderName::kContentLength)) != 0) return "several content-length fields";
  const HeaderField* const field = block.find(HeaderName::kContentLength);
  if (field != nullptr && !parse_number(field->value, rules.content_length)) return "content-length is not a number";
  return {};
}

// §8.3.1
std::string_view check_request_pseudo(const HeaderBlock& block) {
  if (has_any(block, kPseudo & ~kRequestPseudo)) return "pseudo-header that is not of a request";
  if ((block.repeated_names() & kRequestPseudo) != 0) return "repeated pseudo-header";
  if (!has_all(block, kRequiredInRequest)) return "request without :method, :scheme or :path";
  if (padded_pseudo(block)) return "white space around a pseudo-header";
  if (block.is_truncated()) return {};  // what follows needs the values
  if (value_of(block, HeaderName::kMethod) == "CONNECT") return "CONNECT is not served";
  if (value_of(block, HeaderName::kPath).empty()) return "empty :path";
  return {};
}

}  // namespace

MessageRules check_request(const HeaderBlock& block) {
  MessageRules rules;
  if (const std::optional<int64_t> known = block.good_request()) {
    rules.content_length = *known;
    return rules;
  }
  rules.problem = check_fields(block);
  if (rules.well_formed()) rules.problem = check_request_pseudo(block);
  if (rules.well_formed()) rules.problem = check_content_length(block, rules);
  if (rules.well_formed()) block.set_good_request(rules.content_length);
  return rules;
}

MessageRules check_response(const HeaderBlock& block) {
  MessageRules rules;
  rules.problem = check_fields(block);
  if (!rules.well_formed()) return rules;
  // §8.3.2: ":status" is all there is, and must be there.
  constexpr uint64_t kStatus = mask_of(HeaderName::kStatus);
  int64_t status = 0;
  if (has_any(block, kPseudo & ~kStatus)) {
    rules.problem = "pseudo-header that is not of a response";
  } else if ((block.repeated_names() & kStatus) != 0) {
    rules.problem = "repeated :status";
  } else if (const auto text = value_of(block, HeaderName::kStatus);
             text.size() != 3 || !parse_number(text, status) || status < 100) {
    rules.problem = "response without a three-digit :status";
  } else if (status == 101) {
    rules.problem = "101 does not exist in HTTP/2";  // §8.6
  } else {
    rules.status = static_cast<int>(status);
    rules.problem = check_content_length(block, rules);
  }
  return rules;
}

MessageRules check_trailers(const HeaderBlock& block) {
  MessageRules rules;
  rules.problem = check_fields(block);
  // §8.1: "Trailers MUST NOT include pseudo-header fields".
  if (rules.well_formed() && has_any(block, kPseudo)) rules.problem = "pseudo-header in trailers";
  return rules;
}

}  // namespace gaggle::http2
