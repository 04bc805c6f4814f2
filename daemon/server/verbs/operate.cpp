// JOBQ verbs for many jobs at once: OPERATE OPERATIONS STOP_OPERATION.
#include <algorithm>

#include "core/base/text.h"
#include "core/json/writer.h"
#include "daemon/server/operations.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr std::string_view kMembers[] = {"action", "filter", "rate"};
constexpr std::string_view kFilterMembers[] = {"state", "queue", "type",  "tag", "error",
                                               "text",  "group", "since", "all"};

// What acts on many jobs may not pass over a condition that it does not know.
template <size_t n>
void refuse_others(Request& request, const std::string_view (&known)[n], const std::string& where) {
    std::string names;
    for (std::string_view name : known)
        names += (names.empty() ? "" : ", ") + std::string(name);
    for (const auto& field : request.fields())
        if (std::find(std::begin(known), std::end(known), field.key) == std::end(known))
            request.refuse("unknown field " + json_quoted(printable(utf8_prefix(field.key, 100))) +
                           " in " + where + "; the known fields are " + names);
}

Result<OperationOrder> read_order(const std::string& argument) {
    Request request(argument);
    refuse_others(request, kMembers, "an operation");
    OperationOrder order;
    auto action = Operations::action_from_name(request.some_text("action"));
    if (!action) request.refuse("\"action\" must be retry, cancel or remove");
    order.rate = request.number("rate");
    if (order.rate < 0 || order.rate > limits::kOperationRateMax)
        request.refuse("\"rate\" must be a number of jobs per second up to " +
                       std::to_string(limits::kOperationRateMax) + "; 0 or no rate means no limit");
    const JsonField* field = request.field("filter");
    if (!field || field->kind != JsonField::Kind::object)
        request.refuse(
            "\"filter\" is required: an object with the state and a selection of its jobs");
    if (request.error()) return tl::unexpected<Error>(*request.error());
    order.action = *action;
    order.filter_json = std::string(field->raw);
    Request filter(order.filter_json);
    refuse_others(filter, kFilterMembers, "a filter");
    order.state = filter.state("state");
    order.filter = JobFilter::from(filter);
    const bool all = filter.flag("all");
    if (order.filter.is_empty() && !all)
        filter.refuse(
            "select jobs with queue, type, tag, error, text, group or since, or with \"all\":true");
    if (order.filter_json.size() > limits::kOperationFilterBytes)
        filter.refuse("the filter has more than " + std::to_string(limits::kOperationFilterBytes) +
                      " bytes");
    if (filter.error()) return tl::unexpected<Error>(*filter.error());
    return order;
}

}  // namespace

task<Answer> operate(ServerContext& context, std::string argument, Caller from) {
    auto order = read_order(argument);
    if (!order) co_return tl::unexpected<Error>(order.error());
    order->from = from;
    auto operation = context.operations.start(std::move(*order));
    if (!operation) co_return tl::unexpected<Error>(operation.error());
    co_return Operations::to_json(**operation);
}

task<Answer> operations(ServerContext& context, std::string argument) {
    Request request(argument);
    const std::string id = request.text("id");
    if (request.error()) co_return tl::unexpected<Error>(*request.error());
    JsonWriter json;
    json.begin_object().key("operations").begin_array();
    bool found = id.empty();
    for (const auto& operation : context.operations.all()) {
        if (!id.empty() && operation->id != id) continue;
        found = true;
        json.raw(Operations::to_json(*operation));
    }
    json.end_array().end_object();
    if (!found) co_return tl::unexpected<Error>(Operations::no_such(id));
    co_return json.take();
}

task<Answer> stop_operation(ServerContext& context, std::string argument) {
    Request request(argument);
    const std::string id = request.some_text("id");
    if (request.error()) co_return tl::unexpected<Error>(*request.error());
    auto operation = context.operations.cancel(id);
    if (!operation) co_return tl::unexpected<Error>(operation.error());
    co_return Operations::to_json(**operation);
}

}  // namespace jobq::verbs
