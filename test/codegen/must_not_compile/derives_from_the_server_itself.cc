// SPDX-License-Identifier: Apache-2.0
//
// An implementation has to say what a new method shall do to it, by its base.
// EXPECT: abstract.*derive_from_UnimplementedSecondServer_or_UnsafeSecondServer
#include "kinds.gaggle.h"

using namespace gaggle;

#ifdef FIXED
class Mine final : public codegen_test::UnimplementedSecondServer {
#else
class Mine final : public codegen_test::SecondServer {
#endif
  Task<Status> Get(ServerContext&, const codegen_test::Ask&, codegen_test::Answer&) override {
    return Task<Status>::ready(Status::ok());
  }
};

Status use(ServiceRegistrar& registrar) {
  static Mine mine;
  return codegen_test::RegisterSecondServer(registrar, mine);
}
