// The effective configuration as TOML that loads again, each value with where it came from.
#include <algorithm>
#include <charconv>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/config/visit.h"
#include "core/net/url.h"

namespace jobq {
namespace {

constexpr size_t kOriginColumn = 44;

// JSON's escapes are TOML's; only DEL may stand in JSON as it is, and not in TOML.
std::string toml_string(std::string_view text) {
    std::string out;
    for (char c : json_quoted(text)) {
        if (c == '\x7f')
            out += "\\u007F";
        else
            out += c;
    }
    return out;
}

std::string toml_number(double value) {
    std::array<char, 32> buffer;
    auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    std::string text(buffer.data(), end);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

std::string_view exit_name(Outcome outcome) {
    return outcome == Outcome::failure ? "retry" : name(outcome);
}

class Printer final : public Visitor {
  public:
    explicit Printer(const Loaded& loaded) : loaded_(loaded) {}

    std::string take() { return std::move(out_); }

    bool enter(std::string_view key, bool present) override {
        if (!present) return false;
        sections_.push_back(join_path(path(), key));
        pending_header_ = true;
        return true;
    }

    void leave() override {
        // A section without a key of its own ([pool] above [pool.default]) needs no header.
        sections_.pop_back();
        pending_header_ = false;
    }

    std::vector<std::string> children(const std::vector<std::string>& present) override {
        return present;
    }

    void text(std::string_view key, std::string& field, TextRule rule) override {
        // What is printed ends up in bug reports.
        line(key, toml_string(rule == TextRule::redis_url ? without_password(field) : field));
    }

    void integer(std::string_view key, std::optional<int64_t>& field, Range) override {
        if (field) line(key, std::to_string(*field));
    }

    void duration(std::string_view key, int64_t& field_ms, Range) override {
        line(key, toml_string(format_duration(field_ms)));
    }

    void size(std::string_view key, int64_t& field_bytes, Range) override {
        line(key, std::to_string(field_bytes));
    }

    void number(std::string_view key, double& field, double, double) override {
        line(key, toml_number(field));
    }

    void boolean(std::string_view key, bool& field) override {
        line(key, field ? "true" : "false");
    }

    void choice(std::string_view key, std::span<const std::string_view> names,
                std::optional<size_t>& index) override {
        if (index) line(key, toml_string(names[*index]));
    }

    void command(std::string_view key, std::vector<std::string>& field) override {
        if (!field.empty()) line(key, list(field));
    }

    void words(std::string_view key, std::vector<std::string>& field, TextRule) override {
        line(key, list(field));
    }

    void queues(std::string_view key, std::vector<QueueWeight>& field, bool& strict) override {
        std::vector<std::string> names;
        std::string weights;
        for (const auto& queue : field) {
            names.push_back(queue.name);
            weights += (weights.empty() ? " " : ", ") + toml_key(queue.name) + " = " +
                       std::to_string(queue.weight);
        }
        line(key, strict ? list(names) : "{" + weights + " }");
    }

    void variables(std::string_view key, std::map<std::string, std::string>& field) override {
        for (const auto& [variable, value] : field)
            dotted(key, toml_key(variable), toml_string(value));
    }

    void exits(std::string_view key, std::map<int, Outcome>& field) override {
        for (const auto& [status, outcome] : field)
            dotted(key, std::to_string(status), toml_string(exit_name(outcome)));
    }

    void later(std::string_view, std::string_view) override {}

  private:
    std::string path() const { return sections_.empty() ? "" : sections_.back(); }

    static std::string list(const std::vector<std::string>& words) {
        std::string text;
        for (const auto& word : words)
            text += (text.empty() ? "" : ", ") + toml_string(word);
        return "[" + text + "]";
    }

    void line(std::string_view key, const std::string& value) {
        write(join_path(path(), key), std::string(key), value);
    }

    void dotted(std::string_view table, const std::string& key, const std::string& value) {
        write(join_path(path(), table) + "." + key, std::string(table) + "." + key, value);
    }

    void write(const std::string& full, const std::string& key, const std::string& value) {
        if (pending_header_) {
            out_ += (out_.empty() ? "[" : "\n[") + path() + "]\n";
            pending_header_ = false;
        }
        std::string text = key + " = " + value;
        text.resize(std::max(text.size(), kOriginColumn), ' ');
        auto origin = loaded_.origin.find(full);
        out_ += text + "  # " +
                (origin == loaded_.origin.end() ? "default" : printable(origin->second)) + "\n";
    }

    const Loaded& loaded_;
    std::vector<std::string> sections_;
    bool pending_header_ = false;
    std::string out_;
};

}  // namespace

std::string print_config(const Loaded& loaded) {
    Config config = loaded.config;
    Printer printer(loaded);
    visit_config(config, printer);
    return printer.take();
}

}  // namespace jobq
