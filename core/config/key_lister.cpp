// config_keys(), and the walk behind it.
#include "core/config/key_lister.h"

namespace jobq {

bool KeyLister::enter(std::string_view name, bool present) {
    if (!templates_ && !present) return false;
    section_.emplace_back(name);
    return true;
}

void KeyLister::leave() {
    section_.pop_back();
}

std::vector<std::string> KeyLister::children(const std::vector<std::string>& present) {
    return templates_ ? std::vector<std::string>{"NAME"} : present;
}

void KeyLister::add(std::string_view key, bool single) {
    Key entry{section_, single};
    entry.parts.emplace_back(key);
    keys_.push_back(std::move(entry));
}

const std::vector<std::string>& config_keys() {
    static const std::vector<std::string> keys = [] {
        Config config;
        KeyLister lister(true);
        visit_config(config, lister);
        std::vector<std::string> paths;
        for (const auto& key : lister.keys()) {
            std::string path;
            for (const auto& part : key.parts)
                path = join_path(path, part);
            paths.push_back(path);
        }
        return paths;
    }();
    return keys;
}

}  // namespace jobq
