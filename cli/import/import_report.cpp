// See import_report.h.
#include "cli/import/import_report.h"

#include "core/base/text.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr size_t kRefusalsShown = 20;

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + printable(word);
    return text;
}

std::string column(int64_t number, const char* word) {
    const std::string digits = std::to_string(number);
    constexpr size_t kWidth = 9;
    return std::string(digits.size() < kWidth ? kWidth - digits.size() : 1, ' ') + digits + " " +
           word;
}

std::string as_json(const ImportReport& report) {
    std::string sets = "[", refusals = "[";
    for (const auto& set : report.sets) {
        auto one = JsonWriter::object();
        one.field("set", set.kind);
        if (!set.queue.empty()) one.field("queue", to_utf8(set.queue));
        one.field("found", set.found).field("stored", set.stored);
        one.field("known", set.known).field("refused", set.refused);
        sets += (sets.size() > 1 ? "," : "") + one.done();
    }
    for (const auto& refusal : report.refusals)
        refusals += (refusals.size() > 1 ? "," : "") + JsonWriter::object()
                                                           .field("jid", to_utf8(refusal.jid))
                                                           .field("set", to_utf8(refusal.set))
                                                           .field("error", to_utf8(refusal.text))
                                                           .done();
    auto all = JsonWriter::object();
    all.field("source", to_utf8(report.source)).field("dry_run", report.dry_run);
    all.raw("sets", sets + "]").raw("refused", refusals + "]");
    all.field("paused", report.paused).field("changed", report.changed);
    all.field("processed", report.processed).field("failures", report.failures);
    return all.done();
}

}  // namespace

int64_t ImportReport::refused() const {
    int64_t sum = 0;
    for (const auto& set : sets)
        sum += set.refused;
    return sum;
}

void ImportReport::refuse(ImportSet& set, std::string jid, std::string text) {
    ++set.refused;
    if (refusals.size() < kRefusalsShown)
        refusals.push_back({std::move(jid), set.label(), std::move(text)});
}

void ImportReport::print(Output& out) const {
    if (!out.is_text()) return out.line(as_json(*this));
    constexpr size_t kLabel = 28;
    for (const auto& set : sets)
        out.line(padded(printable(set.label()), kLabel) + column(set.found, "found") +
                 column(set.stored, dry_run ? "good" : "stored") + column(set.known, "known") +
                 column(set.refused, "refused"));
    for (const auto& refusal : refusals)
        out.note(
            "refused: " + printable(refusal.jid.empty() ? "a job without an id" : refusal.jid) +
            " of " + printable(refusal.set) + ": " + printable(refusal.text));
    if (refused() > int64_t(refusals.size()))
        out.note("and " + std::to_string(refused() - int64_t(refusals.size())) +
                 " more were refused");
    if (!paused.empty())
        out.note((dry_run ? "would be paused: " : "paused, as in Faktory: ") + listed(paused));
    if (!changed.empty())
        out.note("changed during the import, so run it again once Faktory has stopped: " +
                 listed(changed));
    if (processed > 0)
        out.note("Faktory's counters are not imported: " + std::to_string(processed) +
                 " processed, " + std::to_string(failures) + " failures");
    if (dry_run) out.note("nothing was stored: this was a dry run");
}

}  // namespace jobq::cli
