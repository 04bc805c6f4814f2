// What a checkup of a store finds, as text: "" when it is healthy. Used by tests/store.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "tests/support/run_task.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {

inline std::vector<Finding> all_findings(Store& store, TestReactor& reactor, bool fix) {
    std::vector<Finding> all;
    auto checkup = store.checkup(fix);
    for (bool over = false; !over;) {
        auto page = run_task(reactor, checkup->next());
        if (!page) throw std::runtime_error("checkup: " + page.error().text);
        for (auto& finding : page->findings) {
            auto known = [&](const FindingKind& kind) { return kind.name == finding.kind; };
            if (std::none_of(kFindings.begin(), kFindings.end(), known))
                throw std::runtime_error("checkup: no such finding as " + finding.kind);
            all.push_back(std::move(finding));
        }
        over = page->over;
    }
    return all;
}

// "kind what (where), ..."
inline std::string check_up(Store& store, TestReactor& reactor, bool fix = false) {
    std::string text;
    for (const auto& finding : all_findings(store, reactor, fix)) {
        if (!text.empty()) text += ", ";
        text += finding.kind + " " + finding.what + " (" + finding.where + ")";
    }
    return text;
}

}  // namespace jobq::test
