// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gaggle {

class ClientAttempt;
class ClientCallBase;

template <class Item>
class CallListOf;

// A place in one list: of the calls of a connection, of the attempts that wait for something.
//
// Lies in the item; being destroyed takes it out. One loop's thread.
template <class Item>
class CallLinkOf {
 public:
  explicit CallLinkOf(Item& item) noexcept : item_(&item) {}
  CallLinkOf(const CallLinkOf&) = delete;
  CallLinkOf& operator=(const CallLinkOf&) = delete;
  ~CallLinkOf() { unlink(); }

  bool linked() const noexcept { return next_ != nullptr; }
  void unlink() noexcept {
    if (!linked()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class CallListOf<Item>;
  CallLinkOf() noexcept : item_(nullptr), next_(this), previous_(this) {}  // a list's head

  Item* item_;
  CallLinkOf* next_ = nullptr;
  CallLinkOf* previous_ = nullptr;
};

// First in, first out. Owns nothing; empty when it's destroyed.
template <class Item>
class CallListOf {
 public:
  bool empty() const noexcept { return head_.next_ == &head_; }
  Item& front() noexcept { return *head_.next_->item_; }
  void push_back(CallLinkOf<Item>& link) noexcept {
    link.unlink();
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }
  // For one that was taken out and has to wait on.
  void push_front(CallLinkOf<Item>& link) noexcept {
    link.unlink();
    link.previous_ = &head_;
    link.next_ = head_.next_;
    head_.next_->previous_ = &link;
    head_.next_ = &link;
  }
  // Takes the first one out.
  Item& pop_front() noexcept {
    CallLinkOf<Item>& first = *head_.next_;
    first.unlink();
    return *first.item_;
  }
  // Moves everything from `other` behind what is here.
  void append(CallListOf& other) noexcept {
    while (!other.empty()) push_back(*other.head_.next_);
  }

 private:
  CallLinkOf<Item> head_;
};

using CallLink = CallLinkOf<ClientCallBase>;
using CallList = CallListOf<ClientCallBase>;
using AttemptLink = CallLinkOf<ClientAttempt>;
using AttemptList = CallListOf<ClientAttempt>;

}  // namespace gaggle
