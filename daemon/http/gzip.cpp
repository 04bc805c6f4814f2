#include "daemon/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace jobq {
namespace {

constexpr size_t kLeastBytes = 1 << 10, kMostBytes = 1 << 20;
constexpr int kFastest = 1;           // 1 MiB of jobs: 3 ms
constexpr int kGzipWindow = 15 + 16;  // with gzip's header and sum instead of zlib's
constexpr int kMemoryLevel = 8;

bool is_text(std::string_view type) {
    constexpr std::array<std::string_view, 4> kText{"application/json", "application/problem+json",
                                                    "application/jsonl", "text/"};
    return std::any_of(kText.begin(), kText.end(),
                       [type](std::string_view one) { return type.starts_with(one); });
}

// "": it could not be.
std::string packed(const std::string& text) {
    z_stream stream{};
    if (deflateInit2(&stream, kFastest, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return {};
    std::string in = text, out(deflateBound(&stream, uLong(text.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = uInt(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return whole ? out : std::string();
}

// "q=0", also with zeros behind a point.
bool is_weight_of_none(std::string_view parameter) {
    const std::string_view text = trim(parameter);
    return text.size() > 2 && same_word(text.substr(0, 2), "q=") && text[2] == '0' &&
           text.find_first_not_of("0.", 2) == text.npos;
}

}  // namespace

// RFC 9110, 12.5.3: what names gzip counts before what names all.
bool takes_gzip(const HttpRequest& request) {
    const std::string* field = request.header("Accept-Encoding");
    if (!field) return false;
    bool any = false;
    for (std::string_view one : split(*field, ',')) {
        const auto parts = split(one, ';');
        const std::string_view coding = trim(parts[0]);
        const bool refused = std::any_of(parts.begin() + 1, parts.end(), is_weight_of_none);
        if (same_word(coding, "gzip")) return !refused;
        any = any || (coding == "*" && !refused);
    }
    return any;
}

void pack(const HttpRequest& request, HttpResponse& response) {
    if (!is_text(response.type) || has_header(response, "Vary")) return;
    response.headers.emplace_back("Vary", "Accept-Encoding");
    const size_t size = response.body.size();
    if (size < kLeastBytes || size > kMostBytes || !takes_gzip(request)) return;
    std::string body = packed(response.body);
    if (body.empty() || body.size() >= size) return;
    response.body = std::move(body);
    response.headers.emplace_back("Content-Encoding", "gzip");
}

}  // namespace jobq
