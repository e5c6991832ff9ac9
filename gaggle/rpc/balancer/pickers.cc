// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/balancer/pickers.h"

#include <utility>

#include "gaggle/rpc/metadata.h"

namespace gaggle {
namespace {

class QueuePicker final : public Picker {
 public:
  PickResult pick(const PickInfo&) override { return PickResult::queue(); }
};

class FailPicker final : public Picker {
 public:
  explicit FailPicker(Status status) : status_(std::move(status)) {}
  PickResult pick(const PickInfo&) override { return PickResult::fail(status_); }

 private:
  const Status status_;
};

class DropPicker final : public Picker {
 public:
  explicit DropPicker(Status status) : status_(std::move(status)) {}
  PickResult pick(const PickInfo&) override { return PickResult::drop(status_); }

 private:
  const Status status_;
};

}  // namespace

Ref<Picker> make_queue_picker() { return make_ref<QueuePicker>(); }
Ref<Picker> make_fail_picker(Status status) { return make_ref<FailPicker>(std::move(status)); }
Ref<Picker> make_drop_picker(Status status) { return make_ref<DropPicker>(std::move(status)); }

std::optional<std::string_view> PickInfo::header(std::string_view key) const noexcept {
  for (const Metadata* sent : {defaults, metadata}) {
    if (sent == nullptr) continue;
    if (std::optional<std::string_view> value = sent->get(key)) return value;
  }
  return std::nullopt;
}

}  // namespace gaggle
