// A job that has each of its fields, with values that are none's default.
#pragma once

#include <optional>
#include <string>

#include "core/job/job_fields.h"

namespace jobq::test {

inline void set_sample(const JobField<std::string>& field, std::string& value) {
    const bool array = field.form == TextForm::json_array || field.member == &Job::args;
    value = array                                 ? R"(["sample"])"
            : field.form == TextForm::json_object ? R"({"sample":1})"
                                                  : "sample-" + std::string(field.name);
}

template <class Int>
void set_sample(const JobField<Int>& /*field*/, Int& value) {
    value = 7;
}

template <class Int>
void set_sample(const JobField<std::optional<Int>>& /*field*/, std::optional<Int>& value) {
    value = 7;
}

inline Job full_job() {
    Job job;
    for_each_job_field([&](const auto& field) { set_sample(field, job.*field.member); });
    return job;
}

}  // namespace jobq::test
