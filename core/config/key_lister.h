// KeyLister: the Visitor that collects the path of every key. For config_keys(), with NAME for a
// free part; for the environment, with the names a Config has.
#pragma once

#include <string>
#include <vector>

#include "core/config/visit.h"

namespace jobq {

class KeyLister final : public Visitor {
  public:
    struct Key {
        std::vector<std::string> parts;
        bool single = true;  // one value, so that a variable can hold it
    };

    // `templates`: children are called NAME and optional sections are walked.
    explicit KeyLister(bool templates) : templates_(templates) {}

    const std::vector<Key>& keys() const { return keys_; }

    bool enter(std::string_view name, bool present) override;
    void leave() override;
    std::vector<std::string> children(const std::vector<std::string>& present) override;

    void text(std::string_view key, std::string&, TextRule) override { add(key); }

    void integer(std::string_view key, std::optional<int64_t>&, Range) override { add(key); }

    void duration(std::string_view key, int64_t&, Range) override { add(key); }

    void size(std::string_view key, int64_t&, Range) override { add(key); }

    void number(std::string_view key, double&, double, double) override { add(key, false); }

    void boolean(std::string_view key, bool&) override { add(key); }

    void choice(std::string_view key, std::span<const std::string_view>,
                std::optional<size_t>&) override {
        add(key);
    }

    void command(std::string_view key, std::vector<std::string>&) override { add(key, false); }

    void words(std::string_view key, std::vector<std::string>&, TextRule) override {
        add(key, false);
    }

    void queues(std::string_view key, std::vector<QueueWeight>&, bool&) override {
        add(key, false);
    }

    void variables(std::string_view key, std::map<std::string, std::string>&) override {
        add(key, false);
    }

    void exits(std::string_view key, std::map<int, Outcome>&) override { add(key, false); }

    void later(std::string_view, std::string_view) override {}

  private:
    void add(std::string_view key, bool single = true);

    bool templates_;
    std::vector<std::string> section_;
    std::vector<Key> keys_;
};

}  // namespace jobq
