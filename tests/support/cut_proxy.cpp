// See cut_proxy.h.
#include "tests/support/cut_proxy.h"

#include <unistd.h>

#include <memory>

namespace jobq::test {

class CutProxy::Way final : public Passage {
  public:
    explicit Way(CutProxy& proxy) : proxy_(proxy) {}

    bool to_client(std::string_view bytes, int client) override {
        // The greeting and the answer to HELLO come through, or no request would ever be made.
        const bool hello = ++answers_ <= 2 && bytes[0] == '+';
        if (!hello && proxy_.cuts_this()) return false;
        return send_all(client, bytes);
    }

  private:
    CutProxy& proxy_;
    int answers_ = 0;
};

CutProxy::CutProxy(std::string listen_path, std::string target_path, uint64_t seed, int one_in,
                   int hold_ms)
    : random_(seed),
      one_in_(one_in),
      hold_ms_(hold_ms),
      relay_(std::move(listen_path), std::move(target_path),
             [this] { return std::make_unique<Way>(*this); }) {}

bool CutProxy::cuts_this() {
    if (good_ || random_() % uint64_t(one_in_) != 0) return false;
    usleep(useconds_t(hold_ms_) * 1000);
    ++cuts_;
    return true;
}

}  // namespace jobq::test
