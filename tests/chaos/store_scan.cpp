// See store_scan.h. Knows the keys of core/store/keys.h.
#include "tests/chaos/store_scan.h"

#include <filesystem>
#include <stdexcept>

#include "core/job/codec.h"
#include "core/store/keys.h"
#include "tests/support/redis_server.h"
#include "tests/support/sync_link.h"

namespace jobq::chaos {
namespace {

using test::SyncLink;

class Scan {
  public:
    explicit Scan(SyncLink& link) : link_(link) {}

    std::map<std::string, std::vector<std::string>> places() {
        const Reply live = link_.command("HGETALL", key("j"));
        for (size_t i = 0; i + 1 < live.items.size(); i += 2) {
            const bool tombstone = live.items[i + 1].text.starts_with(kKindTombstone);
            (tombstone ? buried_ : live_)[live.items[i].text] = true;
            if (!tombstone) places_[live.items[i].text];
        }
        const Reply keys = link_.command("KEYS", key("*"));
        for (const auto& name : keys.items)
            look_into(name.text.substr(keys_.prefix().size()));
        return std::move(places_);
    }

  private:
    std::string key(std::string_view what) const { return keys_.of(what); }

    // A live job's place counts only while its envelope is there, but then it counts.
    void add(const std::string& jid, const std::string& place) {
        if (!buried_.contains(jid) || place != "ready") places_[jid].push_back(place);
    }

    void look_into(const std::string& what) {
        if (what.starts_with("q:")) {
            for (const auto& jid : link_.command("LRANGE", key(what), "0", "-1").items)
                add(jid.text, "ready");
        } else if (what.starts_with("passed:")) {
            for (const auto& jid : link_.command("ZRANGE", key(what), "0", "-1").items)
                add(jid.text, "ready");
        } else if (what == "scheduled" || what == "retrying" || what == "dead") {
            for (const auto& member : link_.command("ZRANGE", key(what), "0", "-1").items)
                add(member.text.substr(member.text.find(' ') + 1), what);
        } else if (what.starts_with("run:")) {
            for (const auto& jid : link_.command("HKEYS", key(what)).items)
                add(jid.text, "running");
        } else if (what.starts_with("done:")) {
            const Reply all = link_.command("HGETALL", key(what));
            for (size_t i = 0; i + 1 < all.items.size(); i += 2) {
                const auto record = decode_final(all.items[i + 1].text);
                add(all.items[i].text, record ? std::string(name(record->state)) : "unreadable");
            }
        }
    }

    SyncLink& link_;
    Keys keys_;
    std::map<std::string, bool> live_, buried_;
    std::map<std::string, std::vector<std::string>> places_;
};

}  // namespace

std::map<std::string, std::vector<std::string>> scan_store(const std::string& directory) {
    namespace fs = std::filesystem;
    test::RedisServer redis({true, {}});
    redis.kill();
    const std::string own = redis.dir() + "/appendonlydir";
    fs::remove_all(own);
    fs::copy(directory + "/appendonlydir", own, fs::copy_options::recursive);
    redis.start();
    SyncLink link(redis.socket_path());
    return Scan(link).places();
}

}  // namespace jobq::chaos
