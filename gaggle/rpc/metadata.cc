// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/metadata.h"

#include <algorithm>
#include <utility>

#include "gaggle/rpc/wire_metadata.h"

namespace gaggle {
namespace {

// `key` in lower case.
Status check_entry(const std::string& key, std::string_view value) {
  if (wire::is_reserved_key(key)) {
    return Status::invalid_argument("metadata key \"" + key + "\" belongs to the protocol; choose another name");
  }
  if (!wire::valid_metadata_key(key)) {
    return Status::invalid_argument("metadata keys are letters, digits, '_', '-' and '.'; this one isn't: \"" + key +
                                    "\"");
  }
  if (!wire::is_binary_key(key) && !wire::valid_metadata_text(value)) {
    return Status::invalid_argument("the value of metadata key \"" + key +
                                    "\" must be printable ASCII without spaces at its ends; a key that ends in "
                                    "\"-bin\" takes any bytes");
  }
  return {};
}

}  // namespace

Status Metadata::add(std::string_view key, std::string_view value) {
  std::string lowered{key};
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (Status bad = check_entry(lowered, value); !bad) return bad;
  entries_.push_back({std::move(lowered), std::string{value}});
  return {};
}

void Metadata::add_received(std::string_view key, std::string_view value) {
  entries_.push_back({std::string{key}, std::string{value}});
  checked_ = false;
}

Status Metadata::check_entries() const {
  for (const Entry& entry : entries_) {
    if (Status bad = check_entry(entry.key, entry.value); !bad) return bad;
  }
  return {};
}

std::optional<std::string_view> Metadata::get(std::string_view key) const noexcept {
  auto entry = std::ranges::find(entries_, key, &Entry::key);
  if (entry == entries_.end()) return std::nullopt;
  return entry->value;
}

std::vector<std::string_view> Metadata::get_all(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const Entry& entry : entries_) {
    if (entry.key == key) values.push_back(entry.value);
  }
  return values;
}

void Metadata::remove(std::string_view key) {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.key == key; });
}

void Metadata::append(const Metadata& other) {
  // By index: `other` may be this object, whose entries move while it grows.
  size_t count = other.entries_.size();
  checked_ = checked_ && other.checked_;
  entries_.reserve(entries_.size() + count);
  for (size_t i = 0; i < count; ++i) entries_.push_back(other.entries_[i]);
}

}  // namespace gaggle
