// The keys of the Loader whose values are lists and tables: argv templates, queues, variables and
// exit statuses. A list replaces the one of an earlier file; tables are merged key by key, but for
// weighted queues, whose order and weights only make sense together.
#include <algorithm>

#include "core/base/text.h"
#include "core/config/check.h"
#include "core/config/loader.h"

namespace jobq {
namespace {

constexpr std::string_view kPayloadPlaceholder = "{payload}";
constexpr int64_t kWeightMax = 1'000;

// Set by jobq for every job, so a configuration may not.
constexpr std::array<std::string_view, 7> kContractVariables{
    "JOBQ_JID",          "JOBQ_TYPE",     "JOBQ_QUEUE",      "JOBQ_ATTEMPT",
    "JOBQ_MAX_ATTEMPTS", "JOBQ_DEADLINE", "JOBQ_TRACEPARENT"};

bool is_variable_name(std::string_view name) {
    bool ok = !name.empty() && !('0' <= name[0] && name[0] <= '9');
    for (char c : name)
        ok = ok && (('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') ||
                    c == '_');
    return ok;
}

std::optional<Outcome> exit_outcome(std::string_view text) {
    if (text == "retry" || text == "failure") return Outcome::failure;
    if (text == "success") return Outcome::success;
    if (text == "dead") return Outcome::dead;
    if (text == "snooze") return Outcome::snooze;
    return std::nullopt;
}

// "" or what is wrong with argument `index` of a command.
std::string argument_problem(const Node& item, size_t index) {
    if (item.type != Node::Type::text)
        return "run must be a list of strings, not of " + std::string(kind_name(item.type));
    if (item.text.find('\0') != std::string::npos)
        return "an argument of run can't contain a NUL byte";
    if (index == 0 && item.text.empty()) return "the first element of run must be a program";
    bool whole = item.text == kPayloadPlaceholder;
    if (index == 0 && whole) return "{payload} can't be the program in run";
    if (!whole && item.text.find(kPayloadPlaceholder) != std::string::npos)
        return "{payload} must be a whole argument, not a part of " + shown(item.text);
    return "";
}

}  // namespace

void Loader::command(std::string_view key, std::vector<std::string>& field) {
    const Node* node =
        take(key, Node::Type::list, "a list of strings: [\"program\", \"argument\"]");
    if (!node) return;
    std::vector<std::string> words;
    for (const auto& item : node->items) {
        if (auto problem = argument_problem(item, words.size()); !problem.empty())
            return state_.error(item.place, problem);
        bool path = words.empty() && item.text.find('/') != std::string::npos;
        words.push_back(path ? resolve(item.text) : item.text);
    }
    field = std::move(words);
}

void Loader::words(std::string_view key, std::vector<std::string>& field, TextRule rule) {
    const Node* node = take(key, Node::Type::list, "a list of strings: [\"one\", \"two\"]");
    if (!node) return;
    state_.loaded.origin[join_path(frames_.back().path, key)] = node->place.origin();
    std::vector<std::string> words;
    for (const auto& item : node->items) {
        if (item.type != Node::Type::text) return wrong(item, key, "a list of strings");
        if (auto problem = check_text(rule, item.text); !problem.empty())
            return state_.error(item.place,
                                std::string(key) + ": " + shown(item.text) + " " + problem);
        words.push_back(item.text);
    }
    field = std::move(words);
}

void Loader::add_queue(const Node& node, const std::string& name, int weight,
                       std::vector<QueueWeight>& out) {
    if (auto problem = check_text(TextRule::name, name); !problem.empty())
        return state_.error(node.place, "the queue name " + shown(name) + " " + problem);
    auto same = [&](const QueueWeight& queue) { return queue.name == name; };
    if (std::any_of(out.begin(), out.end(), same))
        return state_.error(node.place, "the queue " + shown(name) + " is listed twice");
    out.push_back({name, weight});
}

void Loader::weighted_queues(const Node& table, std::vector<QueueWeight>& out) {
    for (const auto& member : table.members) {
        const Node& weight = member.value;
        if (weight.type != Node::Type::integer)
            wrong(weight, "the weight of " + shown(member.name), "a whole number");
        else if (weight.integer < 1 || weight.integer > kWeightMax)
            state_.error(weight.place, "the weight of " + shown(member.name) + " must be 1 to " +
                                           std::to_string(kWeightMax) + ", not " +
                                           std::to_string(weight.integer));
        else
            add_queue(weight, member.name, int(weight.integer), out);
    }
}

void Loader::queues(std::string_view key, std::vector<QueueWeight>& field, bool& strict) {
    const Node* node = take(key);
    if (!node) return;
    // A table is a value here, and print_config() shows where it came from.
    state_.loaded.origin[join_path(frames_.back().path, key)] = node->place.origin();
    size_t errors = state_.loaded.errors.size();
    std::vector<QueueWeight> queues;
    if (node->type == Node::Type::list) {
        for (const auto& item : node->items) {
            if (item.type == Node::Type::text)
                add_queue(item, item.text, 1, queues);
            else
                wrong(item, "a queue", "a string");
        }
    } else if (node->type == Node::Type::table) {
        weighted_queues(*node, queues);
    } else {
        return wrong(*node, key,
                     "a list for strict order, [\"high\", \"low\"], or a table of weights, "
                     "{ high = 3, low = 1 }");
    }
    if (state_.loaded.errors.size() > errors) return;
    if (queues.empty()) return state_.error(node->place, "queues must name at least one queue");
    strict = node->type == Node::Type::list;
    field = std::move(queues);
}

void Loader::variables(std::string_view key, std::map<std::string, std::string>& field) {
    const Node* node = take(key, Node::Type::table, "a table of strings: { NAME = \"value\" }");
    if (!node) return;
    std::string path = join_path(frames_.back().path, key);
    for (const auto& member : node->members) {
        auto contract =
            std::find(kContractVariables.begin(), kContractVariables.end(), member.name);
        if (!is_variable_name(member.name))
            state_.error(member.place, shown(member.name) + " is not a valid variable name");
        else if (contract != kContractVariables.end())
            state_.error(member.place, member.name + " is set by jobq for every job");
        else if (member.value.type != Node::Type::text)
            wrong(member.value, member.name, "a string");
        else if (member.value.text.find('\0') != std::string::npos)
            state_.error(member.value.place, member.name + " can't contain a NUL byte");
        else
            field[member.name] = member.value.text;
        state_.loaded.origin[join_path(path, member.name)] = member.value.place.origin();
    }
}

void Loader::exits(std::string_view key, std::map<int, Outcome>& field) {
    const Node* node = take(key, Node::Type::table, "a table: { 75 = \"retry\", 100 = \"dead\" }");
    if (!node) return;
    std::string path = join_path(frames_.back().path, key);
    for (const auto& member : node->members) {
        auto status = parse_int(member.name);
        auto outcome = exit_outcome(member.value.text);
        if (!status || *status < 0 || *status > 255)
            state_.error(member.place,
                         "an exit status must be 0 to 255, not " + shown(member.name));
        else if (member.value.type != Node::Type::text || !outcome)
            wrong(member.value, "exit " + member.name, "one of success, retry, dead or snooze");
        else
            field[int(*status)] = *outcome;
        state_.loaded.origin[join_path(path, member.name)] = member.value.place.origin();
    }
}

}  // namespace jobq
