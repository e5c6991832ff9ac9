// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gaggle/base/ref.h"
#include "gaggle/base/result.h"
#include "gaggle/rpc/service_config.h"

namespace gaggle {

// Who asks: what the choices in a TXT record may be made for. gRFC A2.
struct DnsConfigClient {
  std::string_view language = "c++";  // compared without case
  std::string_view host_name;         // as the system has it
  uint32_t percentile = 0;            // 0 to 99, at random: this client's place among all
};

// The service config in a name's TXT records: the first record that begins with "grpc_config=" has a
// JSON list of choices, of which the first one counts whose clientLanguage, percentage and
// clientHostname all fit. gRFC A2.
//
// Not set when there is no such record or no choice fits; an error when the list isn't what A2 says,
// whichever choice is at fault, or when the config that was chosen is a bad one.
std::optional<Result<Ref<const ServiceConfig>>> choose_dns_config(std::span<const std::string> records,
                                                                  const DnsConfigClient& client);

}  // namespace gaggle
