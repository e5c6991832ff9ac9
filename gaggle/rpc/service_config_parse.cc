// SPDX-License-Identifier: Apache-2.0
//
// JSON to ServiceConfig: every field that is understood is checked, and the first mistake named.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "gaggle/rpc/service_config.h"

namespace gaggle {
namespace {

using Json = nlohmann::json;

// The largest duration that protobuf's JSON form allows, in seconds.
constexpr int64_t kMaxSeconds = 315'576'000'000;

Status wrong(const std::string& place, std::string_view what) {
  std::string text = "service config";
  if (!place.empty()) text.append(", ").append(place);
  return Status::invalid_argument(text.append(": ").append(what));
}

std::string at(const std::string& place, std::string_view key) {
  return place.empty() ? std::string(key) : place + "." + std::string(key);
}
std::string at(const std::string& place, size_t index) { return place + "[" + std::to_string(index) + "]"; }

// In protobuf's JSON, null is a field that isn't there.
const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// --- Values ---

// protobuf's JSON allows numbers in quotes, and 4.0 for 4.
std::optional<int64_t> integer_of(const Json& value) {
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    return number <= INT64_MAX ? static_cast<int64_t>(number) : INT64_MAX;
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::floor(number) != number || std::fabs(number) > 1e15) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// protobuf's JSON form of a Duration: "1.5s", up to nine digits behind the point.
std::optional<Duration> duration_of(std::string_view text) {
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (error != std::errc{} || end != whole.data() + whole.size() || whole.front() == '-') return std::nullopt;
  int64_t nanoseconds = 0;
  if (point != std::string_view::npos) {
    const std::string_view rest = text.substr(point + 1);
    if (rest.empty() || rest.size() > 9) return std::nullopt;
    if (!std::ranges::all_of(rest, [](unsigned char c) { return std::isdigit(c) != 0; })) return std::nullopt;
    for (size_t i = 0; i < 9; ++i) nanoseconds = nanoseconds * 10 + (i < rest.size() ? rest[i] - '0' : 0);
  }
  if (seconds > kMaxSeconds) return std::nullopt;
  // Beyond what our clock can count, "for ever" is what is meant.
  if (seconds >= std::chrono::duration_cast<std::chrono::seconds>(Duration::max()).count()) return Duration::max();
  return std::chrono::seconds{seconds} + std::chrono::nanoseconds{nanoseconds};
}

std::optional<StatusCode> code_of(const Json& value) {
  if (!value.is_string()) {
    const std::optional<int64_t> number = value.is_number() ? integer_of(value) : std::nullopt;
    if (!number || *number < 0 || *number > 16) return std::nullopt;
    return static_cast<StatusCode>(*number);
  }
  std::string name = value.get_ref<const std::string&>();
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (uint8_t code = 0; code <= 16; ++code) {
    if (status_code_name(static_cast<StatusCode>(code)) == name) return static_cast<StatusCode>(code);
  }
  return std::nullopt;
}

}  // namespace

// Reads one text into one config.
class ServiceConfigReader {
 public:
  Result<Ref<const ServiceConfig>> read(std::string_view text);

 private:
  Status read_all(const Json& root);
  Status read_load_balancing(const Json& root);
  Status read_policy(const Json& entry, const std::string& place);
  Status read_methods(const Json& root);
  Status read_method(const Json& entry, const std::string& place);
  Status read_name(const Json& name, const std::string& place);
  Status sort_names();
  Status read_throttling(const Json& root);
  Status read_scaling(const Json& root);
  Status read_health(const Json& root);

  static Status read_retry(const Json& entry, const std::string& place, std::optional<RetryPolicy>& out);
  static Status read_hedging(const Json& entry, const std::string& place, std::optional<HedgingPolicy>& out);
  static Status read_attempts(const Json& policy, const std::string& place, uint32_t& out);
  static Status read_codes(const Json& policy, const std::string& place, const char* key, StatusCodeSet& out);
  static Status read_duration(const Json& object, const std::string& place, const char* key,
                              std::optional<Duration>& out);
  static Status read_backoff(const Json& object, const std::string& place, const char* key, Duration& out);
  static Status read_size(const Json& object, const std::string& place, const char* key, std::optional<size_t>& out);

  const Ref<ServiceConfig> config_ = Ref<ServiceConfig>::adopt(new ServiceConfig);
};

Result<Ref<const ServiceConfig>> ServiceConfig::parse(std::string_view json) {
  ServiceConfigReader reader;
  return reader.read(json);
}

Result<Ref<const ServiceConfig>> ServiceConfigReader::read(std::string_view text) {
  if (text.size() > ServiceConfig::kMaxBytes) {
    return wrong({}, "longer than " + std::to_string(ServiceConfig::kMaxBytes) + " bytes");
  }
  // Writing JSON recurs as deep as it is nested, so that is bounded.
  bool too_deep = false;
  const auto bound = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > static_cast<int>(ServiceConfig::kMaxDepth);
    return !too_deep;
  };
  Json root;
  try {
    root = Json::parse(text.begin(), text.end(), bound);
  } catch (const Json::exception& error) {
    return wrong({}, std::string("not JSON: ") + error.what());
  }
  if (too_deep) return wrong({}, "nested deeper than " + std::to_string(ServiceConfig::kMaxDepth) + " levels");
  if (!root.is_object()) return wrong({}, "must be a JSON object");
  if (Status bad = read_all(root); !bad) return bad;
  return Ref<const ServiceConfig>(config_);
}

Status ServiceConfigReader::read_all(const Json& root) {
  if (Status bad = read_load_balancing(root); !bad) return bad;
  if (Status bad = read_methods(root); !bad) return bad;
  if (Status bad = read_throttling(root); !bad) return bad;
  if (Status bad = read_scaling(root); !bad) return bad;
  return read_health(root);
}

// --- Load balancing ---

// gRFC A24: a list of objects with one field each; loadBalancingPolicy, a name only, is what older
// configs have, and counts where the list is missing.
Status ServiceConfigReader::read_load_balancing(const Json& root) {
  if (const Json* list = find(root, "loadBalancingConfig")) {
    if (!list->is_array()) return wrong("loadBalancingConfig", "must be a list");
    for (size_t i = 0; i < list->size(); ++i) {
      if (Status bad = read_policy((*list)[i], at("loadBalancingConfig", i)); !bad) return bad;
    }
    return {};
  }
  const Json* name = find(root, "loadBalancingPolicy");
  if (name == nullptr) return {};
  if (!name->is_string()) return wrong("loadBalancingPolicy", "must be a string");
  std::string lower = name->get<std::string>();
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!lower.empty()) config_->load_balancing_.push_back({lower, "{}"});
  return {};
}

Status ServiceConfigReader::read_policy(const Json& entry, const std::string& place) {
  if (!entry.is_object() || entry.size() != 1) {
    return wrong(place, "must be an object with one field, the policy's name");
  }
  const auto policy = entry.begin();
  if (!policy.value().is_object()) return wrong(at(place, policy.key()), "must be an object");
  // Text that isn't UTF-8 can't get here, but replacing it can't fail either.
  std::string text = policy.value().dump(-1, ' ', false, Json::error_handler_t::replace);
  config_->load_balancing_.push_back({policy.key(), std::move(text)});
  return {};
}

// --- Methods ---

Status ServiceConfigReader::read_methods(const Json& root) {
  const Json* list = find(root, "methodConfig");
  if (list == nullptr) return {};
  if (!list->is_array()) return wrong("methodConfig", "must be a list");
  for (size_t i = 0; i < list->size(); ++i) {
    if (Status bad = read_method((*list)[i], at("methodConfig", i)); !bad) return bad;
  }
  return sort_names();
}

Status ServiceConfigReader::read_method(const Json& entry, const std::string& place) {
  if (!entry.is_object()) return wrong(place, "must be an object");
  MethodConfig method;
  if (Status bad = read_duration(entry, place, "timeout", method.timeout); !bad) return bad;
  if (const Json* wait = find(entry, "waitForReady")) {
    if (!wait->is_boolean()) return wrong(at(place, "waitForReady"), "must be true or false");
    method.wait_for_ready = wait->get<bool>();
  }
  if (Status bad = read_size(entry, place, "maxRequestMessageBytes", method.max_request_bytes); !bad) return bad;
  if (Status bad = read_size(entry, place, "maxResponseMessageBytes", method.max_response_bytes); !bad) return bad;
  if (Status bad = read_retry(entry, at(place, "retryPolicy"), method.retry); !bad) return bad;
  if (Status bad = read_hedging(entry, at(place, "hedgingPolicy"), method.hedging); !bad) return bad;
  if (method.retry && method.hedging) return wrong(place, "has both a retryPolicy and a hedgingPolicy");

  const Json* names = find(entry, "name");
  if (names != nullptr && !names->is_array()) return wrong(at(place, "name"), "must be a list");
  for (size_t i = 0; names != nullptr && i < names->size(); ++i) {
    if (Status bad = read_name((*names)[i], at(at(place, "name"), i)); !bad) return bad;
  }
  config_->methods_.push_back(std::move(method));
  return {};
}

Status ServiceConfigReader::read_name(const Json& name, const std::string& place) {
  if (!name.is_object()) return wrong(place, "must be an object");
  std::string parts[2];
  const char* const keys[2] = {"service", "method"};
  for (size_t i = 0; i < 2; ++i) {
    const Json* value = find(name, keys[i]);
    if (value == nullptr) continue;
    if (!value->is_string()) return wrong(at(place, keys[i]), "must be a string");
    parts[i] = value->get<std::string>();
    if (parts[i].find('/') != std::string::npos) return wrong(at(place, keys[i]), "has a '/'");
  }
  if (parts[0].empty() && !parts[1].empty()) return wrong(place, "names a method without a service");
  std::string key = parts[0].empty() ? std::string() : "/" + parts[0] + "/" + parts[1];
  config_->names_.push_back({std::move(key), config_->methods_.size()});
  return {};
}

Status ServiceConfigReader::sort_names() {
  std::vector<ServiceConfig::Name>& names = config_->names_;
  std::ranges::stable_sort(names, {}, &ServiceConfig::Name::key);
  const auto twice = std::ranges::adjacent_find(names, {}, &ServiceConfig::Name::key);
  if (twice == names.end()) return {};
  const std::string who = twice->key.empty() ? "the default" : "\"" + twice->key + "\"";
  return wrong("methodConfig", who + " is named twice, in [" + std::to_string(twice->config) + "] and [" +
                                   std::to_string((twice + 1)->config) + "]");
}

// --- Policies ---

Status ServiceConfigReader::read_retry(const Json& entry, const std::string& place, std::optional<RetryPolicy>& out) {
  const Json* policy = find(entry, "retryPolicy");
  if (policy == nullptr) return {};
  if (!policy->is_object()) return wrong(place, "must be an object");
  RetryPolicy read;
  if (Status bad = read_attempts(*policy, place, read.max_attempts); !bad) return bad;
  if (Status bad = read_backoff(*policy, place, "initialBackoff", read.initial_backoff); !bad) return bad;
  if (Status bad = read_backoff(*policy, place, "maxBackoff", read.max_backoff); !bad) return bad;
  const Json* multiplier = find(*policy, "backoffMultiplier");
  if (multiplier == nullptr) return wrong(at(place, "backoffMultiplier"), "is missing");
  if (!multiplier->is_number() || !(multiplier->get<double>() > 0)) {
    return wrong(at(place, "backoffMultiplier"), "must be a number greater than 0");
  }
  read.multiplier = multiplier->get<double>();
  if (Status bad = read_codes(*policy, place, "retryableStatusCodes", read.codes); !bad) return bad;
  if (read.codes.empty()) return wrong(at(place, "retryableStatusCodes"), "must name at least one code");
  out = read;
  return {};
}

Status ServiceConfigReader::read_hedging(const Json& entry, const std::string& place,
                                         std::optional<HedgingPolicy>& out) {
  const Json* policy = find(entry, "hedgingPolicy");
  if (policy == nullptr) return {};
  if (!policy->is_object()) return wrong(place, "must be an object");
  HedgingPolicy read;
  if (Status bad = read_attempts(*policy, place, read.max_attempts); !bad) return bad;
  std::optional<Duration> delay;
  if (Status bad = read_duration(*policy, place, "hedgingDelay", delay); !bad) return bad;
  read.delay = delay.value_or(Duration::zero());
  if (Status bad = read_codes(*policy, place, "nonFatalStatusCodes", read.non_fatal); !bad) return bad;
  out = read;
  return {};
}

Status ServiceConfigReader::read_attempts(const Json& policy, const std::string& place, uint32_t& out) {
  const Json* value = find(policy, "maxAttempts");
  if (value == nullptr) return wrong(at(place, "maxAttempts"), "is missing");
  const std::optional<int64_t> number = integer_of(*value);
  if (!number || *number < 2) return wrong(at(place, "maxAttempts"), "must be an integer of at least 2");
  out = static_cast<uint32_t>(std::min<int64_t>(*number, UINT32_MAX));
  return {};
}

Status ServiceConfigReader::read_codes(const Json& policy, const std::string& place, const char* key,
                                       StatusCodeSet& out) {
  const Json* list = find(policy, key);
  if (list == nullptr) return {};
  if (!list->is_array()) return wrong(at(place, key), "must be a list of status codes");
  for (size_t i = 0; i < list->size(); ++i) {
    const std::optional<StatusCode> code = code_of((*list)[i]);
    if (!code) return wrong(at(at(place, key), i), "is no status code");
    if (*code == StatusCode::kOk) return wrong(at(at(place, key), i), "OK is no failure");
    out.insert(*code);
  }
  return {};
}

Status ServiceConfigReader::read_duration(const Json& object, const std::string& place, const char* key,
                                          std::optional<Duration>& out) {
  const Json* value = find(object, key);
  if (value == nullptr) return {};
  if (value->is_string()) out = duration_of(value->get_ref<const std::string&>());
  if (!out) return wrong(at(place, key), "must be a duration that isn't negative, like \"1.5s\"");
  return {};
}

Status ServiceConfigReader::read_backoff(const Json& object, const std::string& place, const char* key, Duration& out) {
  std::optional<Duration> read;
  if (Status bad = read_duration(object, place, key, read); !bad) return bad;
  if (!read) return wrong(at(place, key), "is missing");
  if (*read == Duration::zero()) return wrong(at(place, key), "must be greater than 0");
  out = *read;
  return {};
}

Status ServiceConfigReader::read_size(const Json& object, const std::string& place, const char* key,
                                      std::optional<size_t>& out) {
  const Json* value = find(object, key);
  if (value == nullptr) return {};
  const std::optional<int64_t> number = integer_of(*value);
  if (!number || *number < 0 || *number > UINT32_MAX) {
    return wrong(at(place, key), "must be an integer from 0 to 4294967295");
  }
  out = static_cast<size_t>(*number);
  return {};
}

// --- The rest ---

Status ServiceConfigReader::read_throttling(const Json& root) {
  const Json* object = find(root, "retryThrottling");
  if (object == nullptr) return {};
  const std::string place = "retryThrottling";
  if (!object->is_object()) return wrong(place, "must be an object");
  const Json* tokens = find(*object, "maxTokens");
  if (tokens == nullptr) return wrong(at(place, "maxTokens"), "is missing");
  const std::optional<int64_t> number = integer_of(*tokens);
  if (!number || *number < 1 || *number > 1000)
    return wrong(at(place, "maxTokens"), "must be an integer from 1 to 1000");
  const Json* ratio = find(*object, "tokenRatio");
  if (ratio == nullptr) return wrong(at(place, "tokenRatio"), "is missing");
  // What is behind the third digit is cut off; the tiny bit more is for 0.3, which binary fractions
  // can't say.
  const double milli = ratio->is_number() ? std::floor(ratio->get<double>() * 1000 * (1 + 1e-12)) : 0;
  if (!(milli >= 1)) return wrong(at(place, "tokenRatio"), "must be a number of at least 0.001");
  RetryThrottling read;
  read.max_milli_tokens = static_cast<uint32_t>(*number * 1000);
  read.milli_ratio = static_cast<uint32_t>(std::min(milli, 1e6));
  config_->throttling_ = read;
  return {};
}

Status ServiceConfigReader::read_scaling(const Json& root) {
  const Json* object = find(root, "connectionScaling");
  if (object == nullptr) return {};
  if (!object->is_object()) return wrong("connectionScaling", "must be an object");
  if (Status bad = read_size(*object, "connectionScaling", "maxConnectionsPerSubchannel", config_->max_connections_);
      !bad) {
    return bad;
  }
  if (config_->max_connections_ != size_t{0}) return {};
  return wrong("connectionScaling.maxConnectionsPerSubchannel", "must be at least 1");
}

Status ServiceConfigReader::read_health(const Json& root) {
  const Json* object = find(root, "healthCheckConfig");
  if (object == nullptr) return {};
  if (!object->is_object()) return wrong("healthCheckConfig", "must be an object");
  const Json* name = find(*object, "serviceName");
  if (name == nullptr) return {};
  if (!name->is_string()) return wrong("healthCheckConfig.serviceName", "must be a string");
  config_->health_service_ = name->get<std::string>();
  return {};
}

}  // namespace gaggle
