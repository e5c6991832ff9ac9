// SPDX-License-Identifier: Apache-2.0
//
// To derive from the unsafe server is to ask for an error when the proto gains a method.
// EXPECT: abstract.*(Talk|List|Collect)
#include "kinds.gaggle.h"

using namespace gaggle;
using namespace gaggle::codegen_test;

#ifdef FIXED
class Mine final : public UnimplementedAnswersServer {
#else
class Mine final : public UnsafeAnswersServer {
#endif
  Task<Status> Get(ServerContext&, const Ask&, Answer&) override { return Task<Status>::ready(Status::ok()); }
};

Status use(ServiceRegistrar& registrar) {
  static Mine mine;
  return RegisterAnswersServer(registrar, mine);
}
