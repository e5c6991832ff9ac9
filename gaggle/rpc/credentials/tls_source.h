// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "gaggle/base/clock.h"
#include "gaggle/base/log.h"
#include "gaggle/base/result.h"
#include "gaggle/net/tls_context.h"

namespace gaggle {

// A PEM text, or the file that it's read from, again and again. Both empty: none. Both given:
// INVALID_ARGUMENT.
struct PemSource {
  std::string file = {};
  std::string text = {};

  bool empty() const noexcept { return file.empty() && text.empty(); }
};

// What credentials have done since their creation.
struct TlsCounters {
  uint64_t reloads = 0;         // files had changed, and their content is in use
  uint64_t reloads_failed = 0;  // files had changed, but couldn't be used: what was before still is
};

// Certificates and keys that follow their files while the program runs.
//
// Files are looked at when a connection needs them and the last look is `interval` ago, or when
// reload() asks. Nothing else happens in between: there is no thread and no timer. A look reads the
// files, on the loop of that connection; they are small. What is bad is logged once and counted, and
// the last good content stays in use. Certificate and key may be replaced one after the other: until
// they belong together again, the old pair serves.
//
// Threads: any.
class TlsSource {
 public:
  using Build = std::function<Result<std::shared_ptr<const TlsContext>>(const TlsMaterial&)>;
  struct Sources {
    PemSource certificates;
    PemSource private_key;
    PemSource trusted;
  };

  // `interval` of zero: only reload() looks.
  TlsSource(Sources sources, Build build, Duration interval, Log log);

  // Once, before all else. INVALID_ARGUMENT or NOT_FOUND says which file or text is bad.
  Status load();
  // Looks at the files now; the error that was logged, if they are bad.
  Status reload();
  // What new connections use.
  std::shared_ptr<const TlsContext> current(TimePoint now);
  TlsCounters counters() const;

 private:
  Result<TlsMaterial> read() const;
  Status look();  // under the mutex

  const Sources sources_;
  const Build build_;
  const Duration interval_;
  const Log log_;
  const bool has_files_;

  mutable std::mutex mutex_;  // guards what follows
  TlsMaterial material_;      // that was tried last
  bool material_is_good_ = false;
  std::shared_ptr<const TlsContext> context_;
  TimePoint next_look_ = TimePoint::min();
  std::string material_error_;  // what is wrong with it
  std::string last_error_;      // that was logged, until something is good
  TlsCounters counters_;
};

}  // namespace gaggle
