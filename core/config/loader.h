// Loader: the Visitor that fills a Config from a tree of Nodes. load.cpp runs it once for each file
// and once for the environment; what a tree does not name keeps its value. Errors are collected,
// and a wrong value leaves its field as it was.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/config/node.h"
#include "core/config/visit.h"

namespace jobq {

// What a run of load_config() collects. `places` are those of every key set, by its path.
struct LoadState {
    Loaded loaded;
    std::map<std::string, Place> places;

    void error(const Place& place, std::string text);
    void warn(const Place& place, std::string text);
};

class Loader final : public Visitor {
  public:
    // `base`: the directory that relative paths start from. `from_text`: every value is a string
    // and is read as the type its key has.
    Loader(LoadState& state, const Node& root, std::string base, bool from_text);
    // Ends the visit: reports the unknown keys of the top level.
    void finish();

    bool enter(std::string_view name, bool present) override;
    void leave() override;
    std::vector<std::string> children(const std::vector<std::string>& present) override;
    void text(std::string_view key, std::string& field, TextRule rule) override;
    void integer(std::string_view key, std::optional<int64_t>& field, Range range) override;
    void duration(std::string_view key, int64_t& field_ms, Range range_ms) override;
    void size(std::string_view key, int64_t& field_bytes, Range range_bytes) override;
    void number(std::string_view key, double& field, double low, double high) override;
    void boolean(std::string_view key, bool& field) override;
    void choice(std::string_view key, std::span<const std::string_view> names,
                std::optional<size_t>& index) override;
    void command(std::string_view key, std::vector<std::string>& field) override;
    void words(std::string_view key, std::vector<std::string>& field, TextRule rule) override;
    void queues(std::string_view key, std::vector<QueueWeight>& field, bool& strict) override;
    void variables(std::string_view key, std::map<std::string, std::string>& field) override;
    void exits(std::string_view key, std::map<int, Outcome>& field) override;
    void later(std::string_view key, std::string_view what) override;

  private:
    struct Frame {
        const Node* node;
        std::string path;
        std::vector<std::string> known;  // keys the visit asked for
    };

    // The value of `key` in the section at hand, recorded as known and set; nullptr when absent.
    const Node* take(std::string_view key);
    // The same, and an error unless it has this type.
    const Node* take(std::string_view key, Node::Type type, std::string_view expected);
    void wrong(const Node& node, std::string_view key, std::string_view expected);
    void add_queue(const Node& node, const std::string& name, int weight,
                   std::vector<QueueWeight>& out);
    void weighted_queues(const Node& table, std::vector<QueueWeight>& out);
    std::string resolve(const std::string& path) const;

    LoadState& state_;
    std::string base_;
    bool from_text_;
    std::vector<Frame> frames_;
};

}  // namespace jobq
