// SPDX-License-Identifier: Apache-2.0
//
// A registration that fails unseen is a server that answers UNIMPLEMENTED to everything.
// EXPECT: nodiscard
#include "kinds.gaggle.h"
#pragma GCC diagnostic error "-Wunused-result"

void use(gaggle::ServiceRegistrar& registrar, gaggle::codegen_test::SecondServer& second) {
#ifdef FIXED
  gaggle::Status registered =
#endif
      gaggle::codegen_test::RegisterSecondServer(registrar, second);
}
