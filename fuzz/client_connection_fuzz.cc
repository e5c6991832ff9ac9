// SPDX-License-Identifier: Apache-2.0
// A client's connection under everything a server can send and the layer above can do meanwhile.
//
// Input: one byte of options, then the script of connection_fuzz.h.
#include "fuzz/connection_fuzz.h"
#include "gaggle/http2/connection.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gaggle;
  fuzz::Input input(data, size);
  const uint8_t choice = input.byte();
  http2::Options options;
  options.initial_window_bytes = choice % 2 == 0 ? 100 : 256 * 1024;
  options.limits.stream_queue_bytes = choice % 4 < 2 ? 1000 : 64 * 1024;
  fuzz::Application application(http2::Role::kClient, options);
  for (int i = choice % 5; i > 0; --i) application.open(choice % 3 == 0);
  fuzz::run_script(application, input);
  return 0;
}
