#include "daemon/server/server.h"

namespace jobq {

Server::Server(UvReactor& reactor, ServerContext& context)
    : reactor_(reactor), context_(context), gate_(reactor) {}

Result<Endpoint> Server::listen(const Endpoint& endpoint) {
    auto listener = Listener::listen(
        reactor_, endpoint, [this](std::unique_ptr<Stream> stream) { accept(std::move(stream)); });
    if (!listener) return tl::unexpected<Error>(listener.error());
    listeners_.push_back(std::move(*listener));
    return listeners_.back()->endpoint();
}

void Server::accept(std::unique_ptr<Stream> stream) {
    if (!stream->is_unix() && context_.access.door->asks_password() &&
        context_.access.guesses.is_full(stream->peer_address(), reactor_.now_ms()))
        return;
    if (!context_.access.door->prepare(*stream)) return;
    uint64_t id = next_id_++;
    auto session = std::make_shared<Session>(context_, std::move(stream), id);
    sessions_[id] = session;
    gate_.spawn(serve(std::move(session), id));
}

task<void> Server::serve(std::shared_ptr<Session> session, uint64_t id) {
    co_await session->run();
    sessions_.erase(id);
}

void Server::stop_listening() {
    for (auto& listener : listeners_)
        listener->close();
    listeners_.clear();
}

task<void> Server::stop() {
    stop_listening();
    auto sessions = sessions_;
    for (auto& [id, session] : sessions)
        session->end();
    sessions.clear();
    co_await gate_.close();
}

}  // namespace jobq
