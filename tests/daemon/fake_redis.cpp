// FakeRedis: see fake_redis.h. Understands commands only in the form the link sends them.
#include "tests/daemon/fake_redis.h"

#include <algorithm>
#include <stdexcept>

namespace jobq::test {
namespace {

// Takes one command off the front of `in`; empty when it is not complete.
Words take_command(std::string& in) {
    Words words;
    size_t at = 0;
    auto number = [&](char kind, size_t& value) {
        size_t end = in.find("\r\n", at);
        if (end == std::string::npos) return false;
        if (in[at] != kind) throw std::runtime_error("not a command: " + in.substr(at, 40));
        value = std::stoul(in.substr(at + 1, end - at - 1));
        at = end + 2;
        return true;
    };
    size_t count = 0;
    if (!number('*', count)) return {};
    for (size_t n = 0; n < count; ++n) {
        size_t size = 0;
        if (!number('$', size) || in.size() < at + size + 2) return {};
        words.push_back(in.substr(at, size));
        at += size + 2;
    }
    in.erase(0, at);
    return words;
}

bool is_greeting(const Words& words) {
    static const Words verbs{"AUTH", "SELECT", "CLIENT", "INFO", "PING"};
    return std::find(verbs.begin(), verbs.end(), words[0]) != verbs.end();
}

}  // namespace

std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

FakeRedis::FakeRedis(UvReactor& reactor) : reactor_(reactor), gate_(reactor) {
    listen();
}

void FakeRedis::listen() {
    auto made = Listener::listen(reactor_, *parse_endpoint(url()), [this](auto stream) {
        ++connects_;
        gate_.spawn(serve(std::move(stream)));
    });
    if (!made) throw std::runtime_error(made.error().text);
    listener_ = std::move(*made);
}

task<void> FakeRedis::stop() {
    listener_.reset();
    for (Client* client : clients_)
        client->stream->close();
    auto empty = [this] { return gate_.inside() == 0; };
    while (!empty()) {
        sleep_for turn(reactor_, 1);
        co_await turn;
    }
}

std::string FakeRedis::answer(Client& client, const Words& words) {
    if (on_command) {
        std::string own = on_command(client, words);
        if (own != "default") return own;
    }
    if (words[0] == "INFO") return bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:x\r\n");
    if (words[0] == "PING") return "+PONG\r\n";
    return "+OK\r\n";
}

task<void> FakeRedis::serve(std::unique_ptr<Stream> stream) {
    Client client;
    client.stream = std::move(stream);
    client.stream->set_max_buffer(64 << 20);
    clients_.push_back(&client);
    bool more = true;
    while (more) {
        more = co_await client.stream->read_more(-1);
        while (true) {
            Words words = take_command(client.stream->buffer());
            if (words.empty()) break;
            if (!is_greeting(words)) seen_.push_back(words);
            if (!is_greeting(words)) client.seen.push_back(words);
            client.stream->write(answer(client, words));
        }
    }
    client.stream->close();
    std::erase(clients_, &client);
}

}  // namespace jobq::test
