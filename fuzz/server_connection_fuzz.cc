// SPDX-License-Identifier: Apache-2.0
// A server's connection under everything a peer can send and the layer above can do meanwhile.
//
// Input: one byte of options, then the script of connection_fuzz.h.
#include "fuzz/connection_fuzz.h"
#include "gaggle/http2/connection.h"
#include "gaggle/http2/preface.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gaggle;
  fuzz::Input input(data, size);
  const uint8_t choice = input.byte();
  http2::Options options;
  options.limits.max_concurrent_streams = choice % 2 == 0 ? 3 : 128;
  options.limits.new_requests_per_turn = choice % 4 < 2 ? 2 : 1000;
  options.initial_window_bytes = choice % 8 < 4 ? 100 : 256 * 1024;
  fuzz::Application application(http2::Role::kServer, options);
  // Most inputs get past the preface; the others have it in their script.
  if (choice < 224) {
    const auto preface = http2::kClientPreface;
    application.connection.receive({reinterpret_cast<const uint8_t*>(preface.data()), preface.size()},
                                   fuzz::Application::kStart);
  }
  fuzz::run_script(application, input);
  return 0;
}
