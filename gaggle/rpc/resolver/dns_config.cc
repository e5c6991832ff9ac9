// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/resolver/dns_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

namespace gaggle {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPrefix = "grpc_config=";
// A2 writes clientHostname, grpc-go reads clientHostName.
constexpr std::array<std::string_view, 5> kFields{"clientLanguage", "percentage", "clientHostname", "clientHostName",
                                                  "serviceConfig"};

Status wrong(size_t index, std::string_view what) {
  return Status::invalid_argument("TXT record, choice " + std::to_string(index) + ": " + std::string(what));
}

bool is_list_of_strings(const Json& value) {
  return value.is_array() && std::ranges::all_of(value, [](const Json& item) { return item.is_string(); });
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Status check_choice(const Json& choice, size_t index) {
  if (!choice.is_object()) return wrong(index, "must be an object");
  for (const auto& [key, value] : choice.items()) {
    if (std::ranges::find(kFields, key) == kFields.end()) return wrong(index, "has an unknown field \"" + key + "\"");
    if (key == "percentage") {
      if (!value.is_number_integer() || value < 0 || value > 100) {
        return wrong(index, "percentage must be an integer from 0 to 100");
      }
    } else if (key != "serviceConfig" && !is_list_of_strings(value)) {
      return wrong(index, key + " must be a list of strings");
    }
  }
  const auto config = choice.find("serviceConfig");
  if (config == choice.end() || !config->is_object()) return wrong(index, "serviceConfig must be an object");
  return {};
}

// An empty list fits everybody.
template <class Same>
bool list_fits(const Json& choice, const char* key, Same same) {
  const auto list = choice.find(key);
  if (list == choice.end() || list->empty()) return true;
  return std::ranges::any_of(*list, [&](const Json& item) { return same(item.get_ref<const std::string&>()); });
}

bool fits(const Json& choice, const DnsConfigClient& client) {
  const auto percentage = choice.find("percentage");
  if (percentage != choice.end() && client.percentile >= percentage->get<uint32_t>()) return false;
  const auto same_host = [&](std::string_view name) { return name == client.host_name; };
  return list_fits(choice, "clientLanguage",
                   [&](std::string_view name) { return equal_without_case(name, client.language); }) &&
         list_fits(choice, "clientHostname", same_host) && list_fits(choice, "clientHostName", same_host);
}

}  // namespace

std::optional<Result<Ref<const ServiceConfig>>> choose_dns_config(std::span<const std::string> records,
                                                                  const DnsConfigClient& client) {
  const auto record = std::ranges::find_if(records, [](std::string_view text) { return text.starts_with(kPrefix); });
  if (record == records.end()) return std::nullopt;
  // As deep as a service config may be, and the list and the choice around it.
  bool too_deep = false;
  const auto bound = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > static_cast<int>(ServiceConfig::kMaxDepth) + 2;
    return !too_deep;
  };
  const Json list = Json::parse(record->begin() + kPrefix.size(), record->end(), bound, false);
  if (too_deep || !list.is_array()) return Status::invalid_argument("TXT record: grpc_config must be a JSON list");
  for (size_t i = 0; i < list.size(); ++i) {
    if (Status bad = check_choice(list[i], i); !bad) return bad;
  }
  const auto choice = std::ranges::find_if(list, [&](const Json& each) { return fits(each, client); });
  if (choice == list.end()) return std::nullopt;
  return ServiceConfig::parse(choice->at("serviceConfig").dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace gaggle
