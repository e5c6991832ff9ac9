// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gaggle {

class ClientCallBase;

// A call's place in one list of calls: those of a connection, those that wait for something.
//
// Lies in the call; being destroyed takes it out. One loop's thread.
class CallLink {
 public:
  explicit CallLink(ClientCallBase& call) noexcept : call_(&call) {}
  CallLink(const CallLink&) = delete;
  CallLink& operator=(const CallLink&) = delete;
  ~CallLink() { unlink(); }

  bool linked() const noexcept { return next_ != nullptr; }
  void unlink() noexcept {
    if (!linked()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class CallList;
  CallLink() noexcept : call_(nullptr), next_(this), previous_(this) {}  // a list's head

  ClientCallBase* call_;
  CallLink* next_ = nullptr;
  CallLink* previous_ = nullptr;
};

// First in, first out. Owns nothing; empty when it's destroyed.
class CallList {
 public:
  bool empty() const noexcept { return head_.next_ == &head_; }
  ClientCallBase& front() noexcept { return *head_.next_->call_; }
  void push_back(CallLink& link) noexcept {
    link.unlink();
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }
  // Takes the first one out.
  ClientCallBase& pop_front() noexcept {
    CallLink& first = *head_.next_;
    first.unlink();
    return *first.call_;
  }
  // Moves everything from `other` behind what is here.
  void append(CallList& other) noexcept {
    while (!other.empty()) push_back(*other.head_.next_);
  }

 private:
  CallLink head_;
};

}  // namespace gaggle
