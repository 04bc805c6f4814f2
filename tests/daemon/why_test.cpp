// Why a job does not run: each code from the facts that lead to it, and which fact counts first.
#include "daemon/server/why.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/base/text.h"
#include "tests/support/builders.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

constexpr int64_t kNow = 1'750'000'000'000;

JobView in_state(State state) {
    JobView view;
    view.job = a_job("mail", "job-0001");
    view.state = state;
    view.at_ms = kNow + 90'000;
    view.started_ms = kNow - 1'000;
    view.final.finished_ms = kNow - 500;
    view.record.reason = "exhausted";
    return view;
}

WhyFacts all_is_well() {
    WhyFacts facts;
    facts.now_ms = kNow;
    facts.place = PlaceInLine{};
    facts.place->ahead = 0;
    return facts;
}

struct Row {
    WhyCode code;
    std::string words;  // in the text
    State state = State::ready;
    std::function<void(JobView&, WhyFacts&)> change = [](JobView&, WhyFacts&) {};
};

void fill_slots(WhyFacts& facts) {
    facts.place->in_use = 4;
    facts.place->holders = {{"j-1", "w-1"}, {"j-2", "w-1"}, {"j-3", "w-2"}, {"j-4", "w-2"}};
}

std::vector<Row> rows() {
    return {
        {WhyCode::delayed, "in 1m30s", State::scheduled},
        {WhyCode::retrying, "in 1m30s", State::retrying},
        {WhyCode::dead, "(exhausted)", State::dead},
        {WhyCode::running, "", State::running},
        {WhyCode::cancel_requested, "told to stop", State::running,
         [](JobView& view, WhyFacts&) { view.cancel_asked = true; }},
        {WhyCode::worker_gone, "jobq release", State::running,
         [](JobView& view, WhyFacts& facts) {
             view.cancel_asked = true;
             facts.holder = "use jobq release";
         }},
        {WhyCode::finished, "", State::succeeded},
        {WhyCode::finished, "", State::cancelled},
        {WhyCode::damaged, "jobq rm job-0001", State::retrying,
         [](JobView& view, WhyFacts&) { view.corrupt = true; }},
        {WhyCode::queue_paused, "jobq queue resume default", State::ready,
         [](JobView&, WhyFacts& facts) {
             facts.paused = true;
             facts.stopped = "no space";
             facts.no_handler = "nobody";
         }},
        {WhyCode::storage_full, "no space", State::ready,
         [](JobView&, WhyFacts& facts) {
             facts.stopped = "no space";
             facts.no_handler = "nobody";
         }},
        {WhyCode::queue_limit,
         "4 jobs at once, its limit: j-1 at w-1, j-2 at w-1, j-3 at w-2 and 1 "
         "more",
         State::ready,
         [](JobView&, WhyFacts& facts) {
             fill_slots(facts);
             facts.limit.in_all = 4;
             facts.no_handler = "nobody";
         }},
        {WhyCode::no_worker, "nobody", State::ready,
         [](JobView&, WhyFacts& facts) {
             facts.no_handler = "nobody";
             facts.place->ahead = 7;
         }},
        {WhyCode::worker_limit, "worker w-1 runs 2 jobs", State::ready,
         [](JobView&, WhyFacts& facts) {
             fill_slots(facts);
             facts.limit = {5, 2};
         }},
        {WhyCode::behind, "7 jobs of queue default come first", State::ready,
         [](JobView&, WhyFacts& facts) { facts.place->ahead = 7; }},
        {WhyCode::behind, "up to 1 job of queue default comes first", State::ready,
         [](JobView&, WhyFacts& facts) {
             facts.place->ahead = 1;
             facts.place->exact = false;
         }},
        {WhyCode::behind, "more than 10,000 jobs", State::ready,
         [](JobView&, WhyFacts& facts) { facts.place->ahead = -1; }},
        {WhyCode::no_slot, "the first in queue default", State::ready},
        {WhyCode::no_slot, "waits in queue default", State::ready,
         [](JobView&, WhyFacts& facts) { facts.place.reset(); }},
        {WhyCode::next, "about to take it", State::ready,
         [](JobView&, WhyFacts& facts) {
             facts.awaited = true;
             facts.place->ahead = 3;  // of types that it passes over
         }},
    };
}

}  // namespace

TEST_CASE("why: each reason follows from its facts, the first that counts") {
    std::set<WhyCode> seen;
    for (const Row& row : rows()) {
        JobView view = in_state(row.state);
        WhyFacts facts = all_is_well();
        row.change(view, facts);
        const Why why = why_of(view, facts);
        INFO(name(row.code) << ": " << why.text);
        CHECK(why.code == row.code);
        CHECK(why.text.find(row.words) != std::string::npos);
        CHECK(why.text.empty() == row.words.empty());
        seen.insert(why.code);
    }
    CHECK(seen.size() == kWhyCodes.size());
}

TEST_CASE("why: each code stands at its place in the table, and in jobq(1)") {
    const std::string page = read_file(std::string(kSourceDir) + "/man/jobq.1");
    for (size_t i = 0; i < kWhyCodes.size(); ++i) {
        const WhyInfo& row = kWhyCodes[i];
        INFO(row.name);
        CHECK(size_t(row.code) == i);
        CHECK(page.find(".It " + std::string(row.name) + " Ta " + std::string(row.help) + "\n") !=
              page.npos);
    }
}
