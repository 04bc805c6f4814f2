// ReplyDecoder on redisReader. Each read task of hiredis has a parent with our Reply in `obj`; a
// child is appended to the parent's items. Pointers into items stay good as long as hiredis needs
// them: a parent grows only after its child is complete.
#include "daemon/redis/reply_decoder.h"

// hiredis's C header uses old-style casts in its macros; only functions and types are used here.
#include <hiredis/read.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq {
namespace {

// An array's claimed size is only a claim until its items have come.
constexpr int kReserveItems = 1024;

Reply* place(const redisReadTask* task) {
    if (task->parent == nullptr) {
        auto* root = static_cast<Reply*>(task->privdata);
        *root = Reply{};
        return root;
    }
    auto& items = static_cast<Reply*>(task->parent->obj)->items;
    return &items.emplace_back();
}

void* create_string(const redisReadTask* task, char* text, size_t size) {
    Reply* reply = place(task);
    reply->kind = Reply::Kind::string;
    if (task->type == REDIS_REPLY_STATUS) reply->kind = Reply::Kind::status;
    if (task->type == REDIS_REPLY_ERROR) reply->kind = Reply::Kind::error;
    reply->text.assign(text, size);
    return reply;
}

void* create_array(const redisReadTask* task, int elements) {
    Reply* reply = place(task);
    reply->kind = Reply::Kind::array;
    reply->items.reserve(size_t(std::clamp(elements, 0, kReserveItems)));
    return reply;
}

void* create_integer(const redisReadTask* task, long long value) {
    Reply* reply = place(task);
    reply->kind = Reply::Kind::integer;
    reply->integer = value;
    return reply;
}

void* create_nil(const redisReadTask* task) {
    return place(task);
}

// The root is ours and its items are owned by it.
void free_object(void*) {}

redisReplyObjectFunctions object_functions = {create_string, create_array, create_integer,
                                              create_nil, free_object};

}  // namespace

struct ReplyDecoder::Impl {
    redisReader* reader = nullptr;
    Reply root;
};

ReplyDecoder::ReplyDecoder() : impl_(std::make_unique<Impl>()) {
    impl_->reader = redisReaderCreateWithFunctions(&object_functions);
    JOBQ_CHECK(impl_->reader != nullptr);
    impl_->reader->privdata = &impl_->root;
}

ReplyDecoder::~ReplyDecoder() {
    redisReaderFree(impl_->reader);
}

void ReplyDecoder::feed(std::string_view bytes) {
    if (!error_.empty()) return;
    if (redisReaderFeed(impl_->reader, bytes.data(), bytes.size()) != 0)
        error_ = to_utf8(printable(impl_->reader->errstr));
}

ReplyDecoder::Step ReplyDecoder::next(Reply& out) {
    if (!error_.empty()) return Step::broken;
    void* reply = nullptr;
    if (redisReaderGetReply(impl_->reader, &reply) != 0) {
        error_ = to_utf8(printable(impl_->reader->errstr));
        return Step::broken;
    }
    if (reply != nullptr) {
        out = std::move(impl_->root);
        return Step::reply;
    }
    if (impl_->reader->len - impl_->reader->pos > limits::kRedisReplyBytes) {
        error_ = "a reply is larger than " + std::to_string(limits::kRedisReplyBytes) + " bytes";
        return Step::broken;
    }
    return Step::more;
}

}  // namespace jobq
