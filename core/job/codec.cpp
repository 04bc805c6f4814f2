// The envelope: Job as bytes. Hot on both ways (each enqueue, each fetch): one allocation for the
// whole when writing, none but the strings when reading. The JSON forms are in codec_json.cpp.
#include "core/job/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/base/crc32c.h"
#include "core/base/text.h"
#include "core/job/job_fields.h"

namespace jobq {
namespace {

constexpr size_t kVarintMax = 10;
constexpr char kType = std::get<0>(kJobFields).tag;
constexpr char kArgs = std::get<std::tuple_size_v<decltype(kJobFields)> - 1>(kJobFields).tag;

void put_varint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        out += char(value | 0x80);
    out += char(value);
}

bool take_varint(std::string_view& in, uint64_t& value) {
    value = 0;
    for (size_t i = 0; i < in.size() && i < kVarintMax; ++i) {
        auto byte = static_cast<unsigned char>(in[i]);
        if (i == kVarintMax - 1 && byte > 1) return false;
        value |= uint64_t(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        in.remove_prefix(i + 1);
        return true;
    }
    return false;
}

void put(std::string& out, char tag, std::string_view value) {
    if (value.empty()) return;
    out += tag;
    put_varint(out, value.size());
    out += value;
}

// Zigzag, so that Faktory's retry of -1 stays one byte.
void put_number(std::string& out, char tag, int64_t value) {
    uint64_t folded = (uint64_t(value) << 1) ^ uint64_t(value >> 63);
    out += tag;
    out += char(0);
    size_t start = out.size();
    put_varint(out, folded);
    out[start - 1] = char(out.size() - start);
}

void put(std::string& out, char tag, int64_t value) {
    if (value != 0) put_number(out, tag, value);
}

template <class Int>
void put(std::string& out, char tag, const std::optional<Int>& value) {
    if (value) put_number(out, tag, *value);
}

bool take(std::string_view bytes, std::string& value) {
    value = bytes;
    return true;
}

template <class Int>
bool take(std::string_view bytes, Int& value) {
    uint64_t folded = 0;
    if (!take_varint(bytes, folded) || !bytes.empty()) return false;
    int64_t wide = int64_t(folded >> 1) ^ -int64_t(folded & 1);
    if (!std::in_range<Int>(wide)) return false;
    value = Int(wide);
    return true;
}

template <class Int>
bool take(std::string_view bytes, std::optional<Int>& value) {
    return take(bytes, value.emplace());
}

// A tag that is not known is skipped, so an older jobqd reads what a newer one wrote.
bool set_field(Job& job, char tag, std::string_view value) {
    bool good = true;
    any_job_field([&](const auto& field) {
        if (!field.tag || field.tag != tag) return false;
        good = take(value, job.*field.member);
        return true;
    });
    return good;
}

// How much room a field may want.
size_t room_of(const std::string& value) {
    return 1 + kVarintMax + value.size();
}

template <class Number>
size_t room_of(const Number&) {
    return 2 + kVarintMax;  // tag, length, value
}

tl::unexpected<Error> corrupt_job(std::string_view jid, std::string_view what) {
    return fail(ErrorCode::corrupt, "the stored form of job " + printable(jid) +
                                        " can't be read: " + std::string(what));
}

bool has_checksum(char kind) {
    return kind == kKindPlain || kind == kKindRecord;
}

// Of an envelope whose fields begin at `fields`, behind the checksum's place.
uint32_t sum_of(std::string_view jid, std::string_view envelope, size_t fields) {
    uint32_t sum = crc32c(0, jid);
    sum = crc32c(sum, envelope.substr(1, fields - kChecksumBytes - 1));
    return crc32c(sum, envelope.substr(fields));
}

// Little-endian on every machine.
uint32_t as_stored(uint32_t sum) {
    return std::endian::native == std::endian::little ? sum : __builtin_bswap32(sum);
}

void write_sum(char* to, uint32_t sum) {
    sum = as_stored(sum);
    std::memcpy(to, &sum, kChecksumBytes);
}

uint32_t read_sum(std::string_view bytes) {
    uint32_t sum = 0;
    std::memcpy(&sum, bytes.data(), kChecksumBytes);
    return as_stored(sum);
}

}  // namespace

std::string encode_job(const Job& job, bool has_record) {
    JOBQ_CHECK(job.queue.size() <= limits::kNameBytes);
    std::string out;
    size_t room = 3 + job.queue.size() + kChecksumBytes;
    for_each_job_field([&](const auto& field) {
        if (field.tag) room += room_of(job.*field.member);
    });
    out.reserve(room);
    out += has_record ? kKindRecord : kKindPlain;
    out += char('0' + job.priority);
    out += char(job.queue.size());
    out += job.queue;
    out.append(kChecksumBytes, '\0');
    const size_t fields = out.size();
    for_each_job_field([&](const auto& field) {
        if (field.tag) put(out, field.tag, job.*field.member);
    });
    write_sum(&out[fields - kChecksumBytes], sum_of(job.jid, out, fields));
    return out;
}

std::string checksum_for(std::string_view jid, std::string_view envelope) {
    std::string sum(kChecksumBytes, '\0');
    size_t queue_bytes = static_cast<unsigned char>(envelope[2]);
    write_sum(sum.data(), sum_of(jid, envelope, 3 + queue_bytes + kChecksumBytes));
    return sum;
}

// `cut_args`: given when the envelope may be cut off; told how many bytes args have that were.
static Result<Job> decode(std::string_view jid, std::string_view envelope, size_t* cut_args) {
    const bool may_be_cut = cut_args != nullptr;
    if (envelope.size() < 3) return corrupt_job(jid, "it is cut off");
    std::string_view bytes = envelope;
    const char kind = bytes[0];
    if (kind == kKindDamaged) return corrupt_job(jid, "it was marked as damaged");
    if (!has_checksum(kind) && kind != kKindPlain1 && kind != kKindRecord1)
        return corrupt_job(jid, "its kind is unknown");
    Job job;
    job.jid = jid;
    job.priority = bytes[1] - '0';
    if (job.priority < limits::kPriorityMin || job.priority > limits::kPriorityMax)
        return corrupt_job(jid, "its priority is out of range");
    size_t queue_bytes = static_cast<unsigned char>(bytes[2]);
    bytes.remove_prefix(3);
    if (!is_name(bytes.substr(0, queue_bytes)) || bytes.size() < queue_bytes)
        return corrupt_job(jid, "its queue name is invalid");
    job.queue = bytes.substr(0, queue_bytes);
    bytes.remove_prefix(queue_bytes);
    if (has_checksum(kind)) {
        if (bytes.size() < kChecksumBytes) return corrupt_job(jid, "it is cut off");
        const uint32_t sum = read_sum(bytes);
        bytes.remove_prefix(kChecksumBytes);
        if (!may_be_cut && sum != sum_of(jid, envelope, envelope.size() - bytes.size()))
            return corrupt_job(jid, "its checksum does not match");
    }
    while (!bytes.empty()) {
        char tag = bytes[0];
        bytes.remove_prefix(1);
        uint64_t length = 0;
        if (!take_varint(bytes, length) || length > bytes.size()) {
            if (may_be_cut) {
                if (tag == kArgs && length > bytes.size()) {
                    job.args = bytes;
                    *cut_args = length;
                }
                break;
            }
            return corrupt_job(jid, "it is cut off");
        }
        if (!set_field(job, tag, bytes.substr(0, length)))
            return corrupt_job(jid, "a number in it is damaged");
        bytes.remove_prefix(length);
    }
    if (job.type.empty()) return corrupt_job(jid, "it has no type");
    return job;
}

Result<Job> decode_job(std::string_view jid, std::string_view bytes) {
    return decode(jid, bytes, nullptr);
}

Result<Job> decode_job_head(std::string_view jid, std::string_view bytes) {
    size_t cut = 0;
    auto job = decode(jid, bytes, &cut);
    if (job && cut > 0) job->args.clear();
    return job;
}

Result<JobHead> decode_job_preview(std::string_view jid, std::string_view bytes) {
    JobHead head;
    auto job = decode(jid, bytes, &head.args_bytes);
    if (!job) return tl::unexpected<Error>(job.error());
    head.job = std::move(*job);
    return head;
}

bool is_tombstone(std::string_view bytes) {
    return bytes.size() >= 3 && bytes[0] == kKindTombstone &&
           bytes.size() == 3 + size_t(static_cast<unsigned char>(bytes[2]));
}

Job salvage_job(std::string_view jid, std::string_view bytes) {
    Job job;
    job.jid = jid;
    job.queue.clear();
    if (bytes.size() < 3) return job;
    const int priority = bytes[1] - '0';
    const size_t queue_bytes = static_cast<unsigned char>(bytes[2]);
    const std::string_view queue = bytes.substr(3, queue_bytes);
    if (priority < limits::kPriorityMin || priority > limits::kPriorityMax || !is_name(queue) ||
        queue.size() < queue_bytes)
        return job;
    job.priority = priority;
    job.queue = queue;
    std::string_view rest = bytes.substr(3 + queue_bytes);
    if (bytes[0] == kKindDamaged) {
        job.type = salvage_job(jid, rest).type;
        return job;
    }
    if (has_checksum(bytes[0])) rest.remove_prefix(std::min(rest.size(), kChecksumBytes));
    uint64_t length = 0;
    if (rest.empty() || rest[0] != kType) return job;
    rest.remove_prefix(1);
    if (!take_varint(rest, length)) return job;
    const std::string_view type = rest.substr(0, length);
    const bool is_text = std::all_of(type.begin(), type.end(), [](char c) { return c > ' '; });
    if (length <= rest.size() && length <= limits::kTypeBytes && is_text) job.type = type;
    return job;
}

std::string encode_output(const Output& output) {
    const bool nothing = output.err.empty() && output.out.empty() && output.order.empty();
    if (nothing && !output.err_cut && !output.out_cut) return {};
    std::string all = std::to_string(output.err.size());
    if (output.err_cut || output.out_cut) {
        all += " cut=";
        for (int64_t number : {output.err_cut.at, output.err_cut.bytes, output.out_cut.at})
            all += std::to_string(number) + ",";
        all += std::to_string(output.out_cut.bytes);
    }
    if (!output.order.empty()) all += " order=" + output.order;
    all.reserve(all.size() + 1 + output.err.size() + output.out.size());
    return all.append("\n").append(output.err).append(output.out);
}

namespace {

// Four numbers; false when it is not that.
bool read_cuts(std::string_view text, Output& output) {
    std::array<int64_t*, 4> numbers{&output.err_cut.at, &output.err_cut.bytes, &output.out_cut.at,
                                    &output.out_cut.bytes};
    for (size_t i = 0; i < numbers.size(); ++i) {
        const size_t comma = text.find(',');
        const auto number = parse_int(text.substr(0, comma));
        if (!number || *number < 0 || (comma == text.npos) != (i + 1 == numbers.size()))
            return false;
        *numbers[i] = *number;
        text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    }
    return true;
}

}  // namespace

Output decode_output(std::string_view bytes) {
    constexpr std::string_view kCut = "cut=", kOrder = "order=";
    const Output as_it_is{std::string(bytes), ""};  // not ours: shown as it is
    const size_t line = bytes.find('\n');
    if (line == bytes.npos) return as_it_is;
    std::string_view head = bytes.substr(0, line);
    bytes.remove_prefix(line + 1);
    Output output;
    size_t space = head.find(' ');
    const auto length = parse_int(head.substr(0, space));
    if (!length || *length < 0 || size_t(*length) > bytes.size()) return as_it_is;
    while (space != head.npos) {
        head.remove_prefix(space + 1);
        space = head.find(' ');
        const std::string_view word = head.substr(0, space);
        if (word.starts_with(kOrder)) output.order = word.substr(kOrder.size());
        if (word.starts_with(kCut) && !read_cuts(word.substr(kCut.size()), output)) return as_it_is;
    }
    output.err = bytes.substr(0, size_t(*length));
    output.out = bytes.substr(size_t(*length));
    return output;
}

}  // namespace jobq
