// See proxy.h.
#include "tests/chaos/proxy.h"

#include <unistd.h>

#include <memory>

namespace jobq::chaos {

class MeanProxy::Way final : public test::Passage {
  public:
    explicit Way(MeanProxy& proxy) : proxy_(proxy) {}

    bool to_server(std::string_view bytes, int server) override { return carry(bytes, server); }

    bool to_client(std::string_view bytes, int client) override { return carry(bytes, client); }

  private:
    bool carry(std::string_view bytes, int to);

    MeanProxy& proxy_;
    bool swallows_ = false;
};

bool MeanProxy::Way::carry(std::string_view bytes, int to) {
    auto& random = proxy_.random_;
    size_t pass = bytes.size();
    bool over = false;
    const int trick = proxy_.good_ ? 1000 : int(random() % 300);
    if (trick < 4) {
        pass = random() % pass;  // some of it, then the end
        over = true;
    } else if (trick < 6) {
        swallows_ = true;  // nothing goes through any more, and nobody is told
    } else if (trick < 30) {
        usleep(useconds_t(random() % 200'000));
    }
    if (trick < 30) ++proxy_.tricks_;
    if (swallows_ && !proxy_.good_) return true;
    if (swallows_) return false;  // what was swallowed is missing: it can't be good any more
    const bool one_by_one = trick >= 30 && trick < 40;
    for (size_t sent = 0; sent < pass;) {
        const size_t step = one_by_one ? 1 : pass - sent;
        if (!test::send_all(to, bytes.substr(sent, step))) return false;
        sent += step;
    }
    return !over;
}

MeanProxy::MeanProxy(std::string listen_path, std::string target_path, uint64_t seed)
    : random_(seed), relay_(std::move(listen_path), std::move(target_path), [this] {
          return std::make_unique<Way>(*this);
      }) {}

}  // namespace jobq::chaos
