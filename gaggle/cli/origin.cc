// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/origin.h"

#include <utility>

#include "gaggle/cli/file_loader.h"
#include "gaggle/cli/sqlite_loader.h"

namespace gaggle::cli {
namespace {

template <class L>
Result<std::unique_ptr<cache::Loader>> as_loader(const GroupSpec& spec, Result<std::unique_ptr<L>> opened) {
  if (opened) return std::unique_ptr<cache::Loader>(*std::move(opened));
  return Status::invalid_argument("--group " + spec.name + ": " + std::string(opened.error().message()));
}

}  // namespace

Result<std::unique_ptr<cache::Loader>> open_origin(const GroupSpec& spec, ThreadPool& pool) {
  const size_t most = spec.options.max_value_bytes;
  switch (spec.origin) {
    case GroupSpec::Origin::kFile: return as_loader(spec, FileLoader::open(spec.path, most, pool));
    case GroupSpec::Origin::kSqlite: return as_loader(spec, SqliteLoader::open(spec.path, spec.query, most, pool));
  }
  return Status::internal("there is no such origin");
}

}  // namespace gaggle::cli
