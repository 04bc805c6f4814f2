#include "daemon/observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>

#include "core/async/wait.h"
#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets& buckets_of(MetricKind kind) {
    static const Buckets seconds{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                 1,     2.5,   5,    10,    30,   60,  300,  3600};
    static const Buckets moments{0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005,
                                 0.01,    0.02,   0.05,   0.1,    0.2,   0.5,   1};
    static const Buckets counts{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
    if (kind == MetricKind::seconds) return seconds;
    return kind == MetricKind::moments ? moments : counts;
}

constexpr bool table_is_in_order() {
    size_t at = 0;
    for (const auto& row : kMetrics)
        if (static_cast<size_t>(row.id) != at++) return false;
    return true;
}

static_assert(table_is_in_order(), "info() finds a metric by its place");

std::vector<prometheus::ClientMetric::Label> library_labels(const MetricLabels& labels) {
    std::vector<prometheus::ClientMetric::Label> list;
    for (const auto& [name, value] : labels)
        list.push_back({name, value});
    return list;
}

class FamilySheet final : public Metrics::Sheet {
  public:
    void set(Metric metric, double value, const MetricLabels& labels) override {
        const MetricInfo& row = info(metric);
        JOBQ_CHECK(row.kind == MetricKind::gauge || row.kind == MetricKind::counter);
        auto& family = families[metric];
        family.name = row.name;
        family.help = row.help;
        prometheus::ClientMetric one;
        one.label = library_labels(labels);
        if (row.kind == MetricKind::gauge) {
            family.type = prometheus::MetricType::Gauge;
            one.gauge.value = value;
        } else {
            family.type = prometheus::MetricType::Counter;
            one.counter.value = value;
        }
        family.metric.push_back(std::move(one));
    }

    std::map<Metric, prometheus::MetricFamily> families;
};

// Families as text, few series at a time.
class Pages {
  public:
    explicit Pages(std::vector<prometheus::MetricFamily> families)
        : families_(std::move(families)) {}

    bool done() const { return family_ == families_.size(); }

    void add_to(std::string& text) {
        auto& whole = families_[family_];
        const size_t end = std::min(whole.metric.size(), from_ + kSeries);
        std::vector<prometheus::MetricFamily> some(1);
        some[0].name = whole.name;
        some[0].help = whole.help;
        some[0].type = whole.type;
        some[0].metric.assign(std::make_move_iterator(whole.metric.begin() + Step(from_)),
                              std::make_move_iterator(whole.metric.begin() + Step(end)));
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, some);
        std::string_view piece = out.view();
        // What a family is stands once, before the first of it.
        while (from_ > 0 && piece.starts_with('#'))
            piece.remove_prefix(std::min(piece.size(), piece.find('\n')) + 1);
        text += piece;
        from_ = end;
        if (end < whole.metric.size()) return;
        from_ = 0;
        ++family_;
    }

  private:
    using Step = std::ptrdiff_t;
    static constexpr size_t kSeries = 16;

    std::vector<prometheus::MetricFamily> families_;
    size_t family_ = 0, from_ = 0;
};

bool labels_before(const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
    return a.label < b.label;
}

}  // namespace

struct Metrics::Impl {
    prometheus::Registry registry;
    std::map<Metric, prometheus::Family<prometheus::Counter>*> counters;
    std::map<Metric, prometheus::Family<prometheus::Histogram>*> histograms;

    // All there is now, in order.
    std::vector<prometheus::MetricFamily> collect(const std::function<void(Sheet&)>& fill) const;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}

Metrics::~Metrics() = default;

prometheus::Counter& Metrics::counter(Metric metric, const MetricLabels& labels) {
    const MetricInfo& row = info(metric);
    JOBQ_CHECK(row.kind == MetricKind::counter);
    auto& family = impl_->counters[metric];
    if (!family)
        family =
            &prometheus::BuildCounter().Name(row.name).Help(row.help).Register(impl_->registry);
    return family->Add(labels);
}

prometheus::Histogram& Metrics::histogram(Metric metric, const MetricLabels& labels) {
    const MetricInfo& row = info(metric);
    JOBQ_CHECK(row.kind != MetricKind::counter && row.kind != MetricKind::gauge);
    auto& family = impl_->histograms[metric];
    if (!family)
        family =
            &prometheus::BuildHistogram().Name(row.name).Help(row.help).Register(impl_->registry);
    return family->Add(labels, buckets_of(row.kind));
}

std::vector<prometheus::MetricFamily> Metrics::Impl::collect(
    const std::function<void(Sheet&)>& fill) const {
    FamilySheet sheet;
    if (fill) fill(sheet);
    auto families = registry.Collect();
    for (auto& [metric, family] : sheet.families)
        families.push_back(std::move(family));
    std::map<std::string, size_t> places;
    for (const auto& row : kMetrics)
        places.emplace(row.name, places.size());
    std::sort(families.begin(), families.end(),
              [&](const auto& a, const auto& b) { return places.at(a.name) < places.at(b.name); });
    for (auto& family : families)
        std::sort(family.metric.begin(), family.metric.end(), labels_before);
    return families;
}

std::string Metrics::text() const {
    std::string text;
    Pages pages(impl_->collect(fill_));
    while (!pages.done())
        pages.add_to(text);
    return text;
}

task<std::string> Metrics::text_in_turns(Reactor& reactor) const {
    std::string text;
    Pages pages(impl_->collect(fill_));
    size_t turned = 0;
    while (!pages.done()) {
        pages.add_to(text);
        if (text.size() - turned < limits::kScrapePieceBytes) continue;
        turned = text.size();
        co_await sleep_for(reactor, 0);
    }
    co_return text;
}

void add(prometheus::Counter& counter, double value) {
    counter.Increment(value);
}

void observe(prometheus::Histogram& histogram, double value) {
    histogram.Observe(value);
}

}  // namespace jobq
