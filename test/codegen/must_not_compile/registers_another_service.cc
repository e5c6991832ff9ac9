// SPDX-License-Identifier: Apache-2.0
//
// Generated registration takes its own server only; a descriptor by hand is checked when it runs.
// EXPECT: SecondServer
#include "kinds.gaggle.h"

using namespace gaggle;
using namespace gaggle::codegen_test;

#ifdef FIXED
class Mine final : public UnimplementedSecondServer {};
#else
class Mine final : public UnimplementedAnswersServer {};
#endif

Status use(ServiceRegistrar& registrar) {
  static Mine mine;
  return RegisterSecondServer(registrar, mine);
}
