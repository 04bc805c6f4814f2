// HttpSender on libcurl's multi interface. libcurl's sockets stand in an epoll of our own, which
// the loop watches; its time-out is a timer of the reactor. Must stay true: libcurl is entered only
// from the loop's turn, never from a callback of its own, and a transfer leaves it before the
// coroutine that holds the transfer goes on.
#include "daemon/loop/http_sender.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "core/async/contain.h"
#include "core/async/gate.h"
#include "core/net/web_url.h"
#include "daemon/loop/answer_head.h"
#include "daemon/loop/curl.h"
#include "daemon/loop/fd_watch.h"

namespace jobq {
namespace {

constexpr long kCaCacheS = 600;
constexpr int kEventsPerLook = 64;
constexpr long kIdleConnections = 8;

// "https://host:port", for messages. Requires: check_request() passed it.
std::string origin_of(const std::string& url) {
    return parse_web_url(url).value().text();
}

// What libcurl would take for two lines.
bool is_one_line(const std::string& text) {
    return std::none_of(text.begin(), text.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// Whether an answer counts for all that went wrong behind its head: who has answered is not asked
// again because the body is short, in odd chunks, or without an end.
bool counts(const AnswerHead& head, CURLcode code) {
    const bool odd = code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_BAD_CONTENT_ENCODING;
    return head.is_whole() || (odd && head.has_status());
}

Result<> check_request(const HttpPost& request) {
    auto url = parse_web_url(request.url);
    if (!url) return fail(ErrorCode::invalid, "the URL can't be used: " + url.error().text);
    for (const std::string& header : request.headers)
        if (!is_one_line(header) || header.find(": ") == std::string::npos)
            return fail(ErrorCode::invalid, "a header of the request is not \"Name: value\"");
    return {};
}

}  // namespace

struct HttpSender::Impl {
    struct Transfer {
        Transfer(Impl& impl, HttpPost what)
            : owner(impl), request(std::move(what)), slot(impl.reactor) {}

        Impl& owner;
        HttpPost request;
        Slot<Result<HttpReply>> slot;
        HttpReply reply;
        size_t header_bytes = 0;
        AnswerHead head;
        std::optional<Error> refused;  // of the address
        CURL* easy = nullptr;
        curl_slist* headers = nullptr;
        char message[CURL_ERROR_SIZE] = "";
    };

    Impl(UvReactor& loop, int most) : reactor(loop), at_once(most), room(loop), gate(loop) {}

    Result<> start();
    void act(curl_socket_t socket, int events);
    void look();
    void collect();
    void arm(long ms);
    void begin(Transfer& transfer);
    void set_up(Transfer& transfer, int64_t left_ms);
    void end(Transfer& transfer, Result<HttpReply> result);
    Result<HttpReply> result_of(Transfer& transfer, CURLcode code);
    task<Result<HttpReply>> send(HttpPost request);
    // The border: what escapes one request is the answer of that one.
    task<void> send_into(HttpPost request, Slot<Result<HttpReply>> slot);
    task<void> send_and_set(HttpPost request, Slot<Result<HttpReply>> slot);

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* known);
    static int on_timer(CURLM* multi, long ms, void* self);
    static size_t on_header(char* line, size_t size, size_t count, void* self);
    static size_t on_body(char* bytes, size_t size, size_t count, void* self);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

    UvReactor& reactor;
    const int at_once;
    const Curl* curl = nullptr;
    CURLM* multi = nullptr;
    int epoll = -1;
    std::unique_ptr<FdWatch> watch;
    TimerId timer = 0;
    std::set<Transfer*> transfers;
    Signal room;
    Gate gate;
    bool stopping = false;
};

Result<> HttpSender::Impl::start() {
    if (multi) return {};
    auto loaded = load_curl();
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    curl = *loaded;
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return fail(ErrorCode::unavailable, "no descriptor is left for the request");
    multi = curl->multi_init();
    JOBQ_CHECK(multi != nullptr);
    curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl->multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, kIdleConnections);
    watch = std::make_unique<FdWatch>(reactor, epoll, [this] { look(); });
    return {};
}

int HttpSender::Impl::on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
    auto& impl = *static_cast<Impl*>(self);
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(impl.epoll, EPOLL_CTL_DEL, socket, nullptr);
        return 0;
    }
    epoll_event event{};
    event.data.fd = socket;
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    // A resolver's descriptor may have been closed without a word, and its number used again.
    const int first = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(impl.epoll, first, socket, &event) != 0)
        epoll_ctl(impl.epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
    impl.curl->multi_assign(impl.multi, socket, &impl);
    return 0;
}

int HttpSender::Impl::on_timer(CURLM*, long ms, void* self) {
    static_cast<Impl*>(self)->arm(ms);
    return 0;
}

void HttpSender::Impl::arm(long ms) {
    reactor.cancel(std::exchange(timer, 0));
    if (ms < 0) return;
    timer = reactor.after(ms, [this] {
        timer = 0;
        act(CURL_SOCKET_TIMEOUT, 0);
        collect();
    });
}

void HttpSender::Impl::act(curl_socket_t socket, int events) {
    int running = 0;
    curl->multi_socket_action(multi, socket, events, &running);
}

void HttpSender::Impl::look() {
    epoll_event events[kEventsPerLook];
    int count = epoll_wait(epoll, events, kEventsPerLook, 0);
    for (int i = 0; i < count; ++i) {
        int what = 0;
        if (events[i].events & EPOLLIN) what |= CURL_CSELECT_IN;
        if (events[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
        if (events[i].events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
        act(events[i].data.fd, what);
    }
    collect();
}

void HttpSender::Impl::collect() {
    int left = 0;
    while (const CURLMsg* message = curl->multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        char* found = nullptr;
        CURLcode code = message->data.result;
        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
        auto& transfer = *static_cast<Transfer*>(static_cast<void*>(found));
        end(transfer, result_of(transfer, code));
    }
}

// The descriptor is ours from the start, so that no child inherits it, and so that nothing is
// connected that the check refuses.
curl_socket_t HttpSender::Impl::on_open(void* self, curlsocktype, curl_sockaddr* address) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.refused) return CURL_SOCKET_BAD;
    if (transfer.request.address_check) {
        auto checked = transfer.request.address_check(address->addr);
        if (!checked) {
            transfer.refused = checked.error();
            return CURL_SOCKET_BAD;
        }
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t HttpSender::Impl::on_header(char* line, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.header_bytes += size * count;
    if (transfer.header_bytes > limits::kHttpSendReplyBytes) return 0;
    transfer.head.add(std::string_view(line, size * count));
    return size * count;
}

size_t HttpSender::Impl::on_body(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string& body = transfer.reply.body;
    size_t more = size * count, space = transfer.request.reply_bytes - body.size();
    body.append(bytes, std::min(more, space));
    transfer.reply.cut = more > space;
    return transfer.reply.cut ? 0 : more;
}

void HttpSender::Impl::set_up(Transfer& transfer, int64_t left_ms) {
    const HttpPost& request = transfer.request;
    auto set = [&](CURLoption option, auto value) {
        JOBQ_CHECK(curl->easy_setopt(transfer.easy, option, value) == CURLE_OK);
    };
    void* self = &transfer;
    set(CURLOPT_PRIVATE, self);
    set(CURLOPT_ERRORBUFFER, &transfer.message[0]);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTP_VERSION, long(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_SSLVERSION, long(CURL_SSLVERSION_TLSv1_2));
    // One file alone: libcurl's own directory would be trusted beside it, and read anew for each
    // connection, on the loop.
    const char* own = curl->version_info(CURLVERSION_NOW)->cainfo;
    const char* ca_file = request.ca_file.empty() ? own : request.ca_file.c_str();
    if (ca_file != nullptr) {
        set(CURLOPT_CAINFO, ca_file);
        set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        // Not with GnuTLS, which keeps nothing; so that a file that was replaced counts soon.
        curl->easy_setopt(transfer.easy, CURLOPT_CA_CACHE_TIMEOUT, kCaCacheS);
    }
    set(CURLOPT_NOSIGNAL, 1L);
    // Else a removed transfer waits, with the whole loop, for its resolver thread.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_TIMEOUT_MS, long(std::max<int64_t>(left_ms, 1)));
    set(CURLOPT_CONNECTTIMEOUT_MS, long(std::max<int64_t>(request.connect_ms, 1)));
    set(CURLOPT_HTTPHEADER, transfer.headers);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_HEADERFUNCTION, &Impl::on_header);
    set(CURLOPT_HEADERDATA, self);
    set(CURLOPT_WRITEFUNCTION, &Impl::on_body);
    set(CURLOPT_WRITEDATA, self);
    set(CURLOPT_OPENSOCKETFUNCTION, &Impl::on_open);
    set(CURLOPT_OPENSOCKETDATA, self);
    if (request.address_check) {
        set(CURLOPT_FRESH_CONNECT, 1L);
        set(CURLOPT_FORBID_REUSE, 1L);
        set(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    }
    set(CURLOPT_URL, request.url.c_str());
}

Result<HttpReply> HttpSender::Impl::result_of(Transfer& transfer, CURLcode code) {
    std::string who = origin_of(transfer.request.url);
    if (transfer.refused) return tl::unexpected<Error>(*transfer.refused);
    if (code == CURLE_OK || counts(transfer.head, code)) {
        HttpReply& reply = transfer.reply;
        reply.status = transfer.head.status();
        reply.cut = reply.cut || code != CURLE_OK;
        curl_off_t date_s = 0;
        curl->easy_getinfo(transfer.easy, CURLINFO_RETRY_AFTER, &date_s);
        reply.retry_after_s = transfer.head.retry_after_s(date_s);
        return std::move(reply);
    }
    std::string why = *transfer.message ? transfer.message : curl->easy_strerror(code);
    while (!why.empty() && (why.back() == '\n' || why.back() == '\r'))
        why.pop_back();
    switch (code) {
        case CURLE_WRITE_ERROR:
            return fail(ErrorCode::too_large, who + " answered with more than 64 KiB of headers");
        case CURLE_OPERATION_TIMEDOUT:
            return fail(ErrorCode::timeout, "no answer from " + who + " in time: " + why);
        case CURLE_URL_MALFORMAT:
        case CURLE_LOGIN_DENIED:
            return fail(ErrorCode::invalid, "the URL can't be used: " + why);
        case CURLE_PEER_FAILED_VERIFICATION:
            return fail(ErrorCode::unavailable,
                        "nothing was sent to " + who + ": " + why +
                            "; its certificate must be valid for this host and from an authority "
                            "of the system or ca_file");
        default:
            return fail(ErrorCode::unavailable, "no answer from " + who + ": " + why);
    }
}

void HttpSender::Impl::begin(Transfer& transfer) {
    transfer.easy = curl->easy_init();
    JOBQ_CHECK(transfer.easy != nullptr);
    // Not "Expect: 100-continue": a receiver that ignores it would cost a second.
    transfer.headers = curl->slist_append(nullptr, "Expect:");
    for (const std::string& header : transfer.request.headers)
        transfer.headers = curl->slist_append(transfer.headers, header.c_str());
}

void HttpSender::Impl::end(Transfer& transfer, Result<HttpReply> result) {
    if (transfers.erase(&transfer) == 0) return;
    curl->multi_remove_handle(multi, transfer.easy);
    curl->easy_cleanup(transfer.easy);
    curl->slist_free_all(transfer.headers);
    transfer.slot.set(std::move(result));
}

// One transfer, once there is room for it.
task<Result<HttpReply>> HttpSender::Impl::send(HttpPost request) {
    const int64_t deadline = reactor.now_ms() + request.total_ms;
    const std::string who = origin_of(request.url);
    while (!stopping && int(transfers.size()) >= at_once) {
        auto wait = room.wait(std::max<int64_t>(0, deadline - reactor.now_ms()));
        bool notified = co_await wait;
        if (!notified)
            co_return fail(ErrorCode::timeout,
                           "the request to " + who + " waited until its time limit expired");
    }
    if (stopping) co_return fail(ErrorCode::cancelled, "shutting down; nothing was sent to " + who);
    Transfer transfer(*this, std::move(request));
    begin(transfer);
    set_up(transfer, deadline - reactor.now_ms());
    transfers.insert(&transfer);
    auto added = curl->multi_add_handle(multi, transfer.easy);
    JOBQ_CHECK(added == CURLM_OK);
    auto result = co_await transfer.slot;
    room.notify_one();
    co_return result;
}

task<void> HttpSender::Impl::send_into(HttpPost request, Slot<Result<HttpReply>> slot) {
    const std::string who = origin_of(request.url);
    caught sending(send_and_set(std::move(request), slot));
    auto escaped = co_await sending;
    if (!escaped) co_return;
    tell_escape("sender", "a request to " + who, escaped);
    slot.set(
        fail(ErrorCode::internal,
             "the request to " + who + " failed inside jobqd and may or may not have been sent"));
}

task<void> HttpSender::Impl::send_and_set(HttpPost request, Slot<Result<HttpReply>> slot) {
    auto result = co_await send(std::move(request));
    slot.set(std::move(result));
}

HttpSender::HttpSender(UvReactor& reactor, int at_once)
    : impl_(std::make_unique<Impl>(reactor, at_once)) {}

task<Result<HttpReply>> HttpSender::post(HttpPost request) {
    if (impl_->stopping) co_return fail(ErrorCode::cancelled, "shutting down; nothing was sent");
    auto checked = check_request(request);
    if (checked) checked = impl_->start();
    if (!checked) co_return tl::unexpected<Error>(checked.error());
    Slot<Result<HttpReply>> slot(impl_->reactor);
    impl_->gate.spawn(impl_->send_into(std::move(request), slot));
    auto result = co_await slot;
    co_return result;
}

task<void> HttpSender::stop() {
    impl_->stopping = true;
    impl_->room.notify_all();
    const auto transfers = impl_->transfers;
    for (Impl::Transfer* transfer : transfers) {
        const std::string who = origin_of(transfer->request.url);
        Result<HttpReply> result = fail(
            ErrorCode::cancelled, "shutting down; " + who + " may or may not have the request");
        if (transfer->head.is_whole())
            result = impl_->result_of(*transfer, CURLE_ABORTED_BY_CALLBACK);
        impl_->end(*transfer, std::move(result));
    }
    co_await impl_->gate.close();
}

int HttpSender::in_flight() const {
    return int(impl_->transfers.size());
}

HttpSender::~HttpSender() {
    JOBQ_CHECK(impl_->transfers.empty());
    if (impl_->multi) impl_->curl->multi_cleanup(impl_->multi);
    impl_->reactor.cancel(impl_->timer);
    impl_->watch.reset();
    if (impl_->epoll >= 0) ::close(impl_->epoll);
}

}  // namespace jobq
