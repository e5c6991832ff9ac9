// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/credentials/tls_source.h"

#include <array>
#include <fstream>
#include <utility>

namespace gaggle {
namespace {

constexpr size_t kMaxFileBytes = size_t{4} << 20;

Result<std::string> read_source(const PemSource& source) {
  if (source.file.empty()) return source.text;
  std::ifstream file(source.file, std::ios::binary);
  if (!file) return Status::not_found(source.file + " can't be read");
  std::string text;
  std::array<char, 16 * 1024> part;
  while (text.size() <= kMaxFileBytes && (file.read(part.data(), part.size()) || file.gcount() != 0)) {
    text.append(part.data(), static_cast<size_t>(file.gcount()));
  }
  if (text.size() > kMaxFileBytes) return Status::invalid_argument(source.file + " is larger than 4 MiB");
  if (text.empty()) return Status::invalid_argument(source.file + " is empty");
  return text;
}

bool same(const TlsMaterial& a, const TlsMaterial& b) {
  return a.certificates == b.certificates && a.private_key == b.private_key && a.trusted == b.trusted;
}

}  // namespace

TlsSource::TlsSource(Sources sources, Build build, Duration interval, Log log)
    : sources_(std::move(sources)),
      build_(std::move(build)),
      interval_(interval),
      log_(log),
      has_files_(!sources_.certificates.file.empty() || !sources_.private_key.file.empty() ||
                 !sources_.trusted.file.empty()) {}

Result<TlsMaterial> TlsSource::read() const {
  TlsMaterial material;
  const auto take = [](const PemSource& from, std::string& to) {
    Result<std::string> text = read_source(from);
    if (text) to = *std::move(text);
    return text.status();
  };
  if (Status bad = take(sources_.certificates, material.certificates); !bad) return bad;
  if (Status bad = take(sources_.private_key, material.private_key); !bad) return bad;
  if (Status bad = take(sources_.trusted, material.trusted); !bad) return bad;
  return material;
}

Status TlsSource::load() {
  for (const PemSource* source : {&sources_.certificates, &sources_.private_key, &sources_.trusted}) {
    if (!source->file.empty() && !source->text.empty()) {
      return Status::invalid_argument("give either the file " + source->file + " or a text, not both");
    }
  }
  Result<TlsMaterial> material = read();
  if (!material) return material.error();
  Result<std::shared_ptr<const TlsContext>> context = build_(*material);
  if (!context) return context.error();
  const std::lock_guard lock(mutex_);
  material_ = *std::move(material);
  material_is_good_ = true;
  context_ = *std::move(context);
  return {};
}

Status TlsSource::reload() {
  const std::lock_guard lock(mutex_);
  return look();
}

Status TlsSource::look() {
  Result<TlsMaterial> material = read();
  Status bad = material.status();
  if (bad && same(*material, material_)) {
    // Files that were gone for a while and are back as they were are as good as before.
    if (material_is_good_) last_error_.clear();
    return material_is_good_ ? Status::ok() : Status::invalid_argument(material_error_);
  }
  if (bad) {
    Result<std::shared_ptr<const TlsContext>> context = build_(*material);
    material_ = *std::move(material);
    bad = context.status();
    material_is_good_ = bad.is_ok();
    material_error_ = bad.message();
    if (bad) {
      context_ = *std::move(context);
      last_error_.clear();
      ++counters_.reloads;
      log_(LogLevel::kInfo, "TLS: new certificates are in use");
      return {};
    }
  }
  // Once for each mistake, not once for each look.
  if (last_error_ != bad.message()) {
    last_error_ = bad.message();
    ++counters_.reloads_failed;
    log_(LogLevel::kError, "TLS: the old certificates stay in use: " + last_error_);
  }
  return bad;
}

std::shared_ptr<const TlsContext> TlsSource::current(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (has_files_ && interval_ != Duration::zero() && now >= next_look_) {
    next_look_ = deadline_after(now, interval_);
    static_cast<void>(look());
  }
  return context_;
}

TlsCounters TlsSource::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace gaggle
