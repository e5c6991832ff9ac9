// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gaggle/base/status.h"
#include "gaggle/rpc/service.h"

namespace gaggle {

// One registered method, as calls need it. Lives and stays put as long as its MethodTable.
struct ServerMethod {
  std::string full_name;              // "/package.Service/Method"; empty for all that are unknown
  const MethodDesc* unary = nullptr;  // exactly one of these two
  const StreamDesc* stream = nullptr;
  void* implementation = nullptr;  // as the handlers take it
  UnaryServerInfo unary_info;
  StreamServerInfo stream_info;
  const MessageType* request_type = nullptr;  // null for streams whose descriptor doesn't say
  const MessageType* response_type = nullptr;
  bool client_streams = false;
  bool server_streams = false;
  uint32_t index = 0;  // 0, 1, …, in the order of registration
};

// The services of a server: filled while it's being set up, then only read, by all loops.
class MethodTable {
 public:
  // What ServiceRegistrar::register_service promises; nothing is added on an error.
  Status add(const ServiceDesc& desc, Service& implementation);

  // Answers every method that isn't registered, if its path is canonical (wire::path_is_canonical).
  void set_unknown(StreamHandler& handler);

  // By :path; null when there is none, or when `path` isn't the one canonical form: what isn't
  // never reaches a handler, an interceptor, or a tap.
  const ServerMethod* find(std::string_view path) const noexcept;
  // Why find() gave null: what the caller is told with UNIMPLEMENTED.
  Status not_found(std::string_view path) const;
  size_t size() const noexcept { return methods_.size(); }
  // Not what set_unknown() was given.
  bool is_registered(const ServerMethod& method) const noexcept { return &method != unknown_.get(); }
  // In the order of registration.
  const std::vector<const ServiceDesc*>& services() const noexcept { return in_order_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  void add_method(std::unique_ptr<ServerMethod> method);

  Map<bool> services_;
  std::vector<const ServiceDesc*> in_order_;
  Map<std::unique_ptr<ServerMethod>> methods_;
  std::unique_ptr<ServerMethod> unknown_;
};

}  // namespace gaggle
