// The npm package faktory-worker as its users install it, unmodified, against jobqd: installed once
// per build directory from npm's registry at the pinned versions, then driven by
// npm/driver.js.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/paths.h"

extern char** environ;

namespace jobq::test {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = std::string(kSourceDir) + "/tests/e2e/faktory/npm";

// A program found by PATH, with all of the environment: npm has its settings and proxies there.
Ran run_found(std::vector<std::string> words, const fs::path& folder,
              const std::map<std::string, std::string>& more = {}) {
    CliCall call;
    call.program = "/usr/bin/env";
    call.args = std::move(words);
    call.cwd = folder;
    call.limit_s = 120;
    for (char** line = environ; *line; ++line) {
        std::string text = *line;
        call.env[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    }
    for (const auto& [name, value] : more)
        call.env[name] = value;
    return run_cli(call);
}

// The folder with the package and the driver; installs it when the build directory has none.
fs::path installed_package() {
    const fs::path folder = fs::path(kJobqdProgram).parent_path() / "faktory_worker";
    fs::create_directories(folder);
    const auto copy = fs::copy_options::overwrite_existing;
    const bool same =
        read_file(folder / "package-lock.json") == read_file(kSource / "package-lock.json");
    fs::copy_file(kSource / "driver.js", folder / "driver.js", copy);
    if (same && fs::exists(folder / "installed")) return folder;
    fs::remove(folder / "installed");
    fs::copy_file(kSource / "package.json", folder / "package.json", copy);
    fs::copy_file(kSource / "package-lock.json", folder / "package-lock.json", copy);
    const Ran npm = run_found({"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"}, folder);
    if (npm.status != 0)
        throw std::runtime_error(
            "npm could not install faktory-worker (npm ci ended with " +
            std::to_string(npm.status) +
            "): this test needs node, npm and a registry that npm can reach (npm ping; npm config "
            "set registry URL). npm said:\n" +
            npm.err + npm.out);
    std::ofstream(folder / "installed").close();
    return folder;
}

}  // namespace

// Alone, and with a pool of jobqd on each queue it uses.
TEST_CASE("the npm package faktory-worker, unmodified: push, fetch, mutate, 1,000 jobs, stop",
          "[faktory]") {
    const fs::path folder = installed_package();
    const std::string queues =
        R"(queues = ["default", "failing", "single", "bulk", "later", "paused", "work", "slow", )"
        R"("quieted"])";
    const std::string config =
        GENERATE_COPY(std::string(), "[pool.threads]\nkind = \"thread\"\n" + queues + "\n");
    FaktoryServer server("[server]\nallow_flush = true\n" + config);
    const Ran ran = run_found({"node", "driver.js"}, folder,
                              {{"FAKTORY_URL", "tcp://127.0.0.1:" + std::to_string(server.port)},
                               {"FAKTORY_PROVIDER", "FAKTORY_URL"},
                               {"DEBUG", ""}});
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(ran.out.ends_with("all done\n"));
    CHECK(ran.err.empty());
    Wire wire = server.client();
    auto info = wire.ask_json("INFO");
    CHECK(info.at("faktory").at("sets").at("working") == 0);
    CHECK(info.at("faktory").at("tasks").at("Workers").at("size") == 0);
}

}  // namespace jobq::test
