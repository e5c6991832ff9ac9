// SPDX-License-Identifier: Apache-2.0
#include "gaggle/rpc/codec.h"

#include <gtest/gtest.h>

#include "gaggle/rpc/codec_testing.h"
#include "gaggle/rpc/server_testing.h"

namespace gaggle {
namespace {

class Named final : public Codec {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::string_view name() const noexcept override { return name_; }
  Result<Bytes> marshal(ConstMessage) const override { return Bytes(); }
  Status unmarshal(Bytes, Message) const override { return {}; }

 private:
  const std::string name_;
};

TEST(CodecRegistry, finds_by_subtype_in_any_case_and_has_proto_always) {
  const CodecRegistry registry = with_reversing_codec();
  EXPECT_EQ(registry.find("")->name(), "proto") << "gRPC over HTTP2: no subtype is protobuf";
  EXPECT_EQ(registry.find("PROTO")->name(), "proto");
  EXPECT_EQ(registry.find("Reversed")->name(), "reversed");
  EXPECT_EQ(registry.find("reversed2"), nullptr);
}

TEST(CodecRegistry, takes_each_name_once_and_none_that_cant_travel) {
  CodecRegistry registry;
  EXPECT_TRUE(registry.add(std::make_unique<Named>("vnd.x-1_2")));
  EXPECT_EQ(registry.add(std::make_unique<Named>("vnd.x-1_2")).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(registry.add(std::make_unique<Named>("proto")).code(), StatusCode::kAlreadyExists);
  for (const char* bad : {"", "JSON", "a b", "a;b", "a+b", "a/b", "\xc3\xa4"}) {
    EXPECT_EQ(registry.add(std::make_unique<Named>(bad)).code(), StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(registry.add(nullptr).code(), StatusCode::kInvalidArgument);
}

TEST(BuiltInCodecs, proto_is_what_messages_do_themselves) {
  const Text text{"hello"};
  Result<Bytes> encoded = proto_codec().marshal(message_of(text));
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->view(), "hello");
  Text read;
  EXPECT_TRUE(proto_codec().unmarshal(*encoded, message_of(read)));
  EXPECT_EQ(read.value, "hello");
  const Text unencodable{"unencodable"};
  EXPECT_EQ(proto_codec().marshal(message_of(unencodable)).status().code(), StatusCode::kInternal);
  EXPECT_EQ(proto_codec().unmarshal(Bytes::copy_of("\xff"), message_of(read)).code(), StatusCode::kInternal);
}

TEST(BuiltInCodecs, bytes_are_shared_and_nothing_else_is_taken) {
  const Bytes bytes = Bytes::copy_of("raw");
  for (const Codec* codec : {&proto_codec(), &bytes_codec()}) {
    Result<Bytes> encoded = codec->marshal(message_of(bytes));
    ASSERT_TRUE(encoded);
    EXPECT_EQ(encoded->data(), bytes.data()) << "not a copy";
    Bytes read;
    EXPECT_TRUE(codec->unmarshal(*encoded, message_of(read)));
    EXPECT_EQ(read.data(), bytes.data());
  }
  Text text{"x"};
  EXPECT_EQ(bytes_codec().marshal(message_of(std::as_const(text))).status().code(), StatusCode::kInternal);
  EXPECT_EQ(bytes_codec().unmarshal(bytes, message_of(text)).code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace gaggle
