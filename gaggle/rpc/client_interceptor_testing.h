// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaggle/rpc/client_interceptor.h"

namespace gaggle {

using Texts = std::vector<std::string>;

// Does what a test says with a unary call.
class UnaryDo final : public UnaryClientInterceptor {
 public:
  using Body = Task<Status> (*)(UnaryDo& self, Context context, std::string_view method, ConstMessage request,
                                Message response, CallOptions options, UnaryInvoker& next);
  explicit UnaryDo(Body body, std::string its_name = {}, Texts* its_log = nullptr)
      : body_(body), name(std::move(its_name)), log(its_log) {}
  Task<Status> intercept(Context context, std::string_view method, ConstMessage request, Message response,
                         CallOptions options, ClientConnInterface& conn, UnaryInvoker& next) override {
    below = &conn;
    return body_(*this, std::move(context), method, request, response, options, next);
  }

 private:
  Body body_;

 public:
  std::string name;
  Texts* log;
  ClientConnInterface* below = nullptr;
  CallOptions seen;
  std::string seen_method;
};

// Writes down the status that a call ended with.
class CountFinish final : public FinishHook {
 public:
  explicit CountFinish(Texts& log, std::string name = {}) : log_(log), name_(std::move(name)) {}
  void on_finish(std::string_view, const Status& status) noexcept override {
    log_.push_back(name_ + std::string(status_code_name(status.code())));
  }

 private:
  Texts& log_;
  std::string name_;
};

}  // namespace gaggle
