// config/jobqd.toml says of itself that its values are the built-in ones, and that what it shows
// commented out works.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/base/text.h"
#include "core/config/config.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;

namespace {

std::string sample() {
    return test::read_file(std::string(test::kSourceDir) + "/config/jobqd.toml");
}

// "#key = value" and "#[section]" made active; prose has a space after its "#".
std::string uncommented(const std::string& toml) {
    std::string text;
    for (auto line : split(toml, '\n')) {
        bool shown = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        text += std::string(shown ? line.substr(1) : line) + "\n";
    }
    return text;
}

std::string values(const Loaded& loaded) {
    std::string text, printed = print_config(loaded);
    for (auto line : split(printed, '\n'))
        text += std::string(trim(line.substr(0, line.find("  #")))) + "\n";
    return text;
}

void check_no_errors(const Loaded& loaded) {
    for (const auto& error : loaded.errors)
        FAIL_CHECK(error.to_string());
}

}  // namespace

TEST_CASE("docs: the values of the sample configuration are the built-in ones", "[docs]") {
    Loaded loaded = load_config_text("config/jobqd.toml", sample());

    check_no_errors(loaded);
    CHECK(values(loaded) == values(load_config_text("nothing", "")));
    CHECK(loaded.origin.size() > 10);
}

TEST_CASE("docs: what the sample configuration shows commented out is valid", "[docs]") {
    Loaded loaded = load_config_text("config/jobqd.toml", uncommented(sample()));

    check_no_errors(loaded);
    REQUIRE(loaded.config.pools.count("default") == 1);
    const PoolConfig &pool = loaded.config.pools.at("default"), defaults;
    CHECK(pool.kind == defaults.kind);
    CHECK(pool.queues == defaults.queues);
    CHECK(pool.strict == defaults.strict);
    CHECK(pool.slots == defaults.slots);
    REQUIRE(loaded.config.types.count("email") == 1);
    const TypeConfig& email = loaded.config.types.at("email");
    const TypeConfig plain;
    CHECK(email.policy.timeout_ms == plain.policy.timeout_ms);
    CHECK(email.policy.retention_ms == plain.policy.retention_ms);
    CHECK(email.policy.backoff == Backoff{});
    CHECK(email.grace_ms == plain.grace_ms);
    CHECK(email.output_head_bytes == plain.output_head_bytes);
    CHECK(email.output_tail_bytes == plain.output_tail_bytes);
}

TEST_CASE("docs: the demo configuration is valid and its programs are there", "[docs]") {
    std::string file = std::string(test::kSourceDir) + "/config/demo/jobqd.toml";

    Loaded loaded = load_config({file}, {});

    check_no_errors(loaded);
    for (const auto& [name, type] : loaded.config.types) {
        INFO(name);
        CHECK(access(type.run.at(0).c_str(), X_OK) == 0);
    }
    CHECK(access(loaded.config.pools.at("words").run.at(0).c_str(), X_OK) == 0);
}
