// The shipped handlers of config/demo, run by the contracts they are written for.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "tests/docs/program.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using nlohmann::json;
using test::ProgramEnd;
using test::run_program;
using test::TempDir;

namespace {

const std::string kDemo = std::string(test::kSourceDir) + "/config/demo/";

ProgramEnd send(const TempDir& dir, const std::string& payload,
                const std::string& jid = "01JDEMOJOB") {
    return run_program({kDemo + "send-email"}, payload,
                       {{"JOBQ_JID", jid}, {"JOBQ_OUTBOX", dir / "outbox"}});
}

ProgramEnd send(const TempDir& dir, const json& payload) {
    return send(dir, payload.dump());
}

struct Message {
    std::map<std::string, std::string> headers;  // unfolded
    std::vector<std::string> names;
    std::string body;  // decoded
    bool only_crlf = true;
};

int hex_digit(char c) {
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

std::string quoted_printable(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
        } else if (text[i + 1] == '\r') {
            i += 2;
        } else {
            out += char(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        }
    }
    return out;
}

Message parse(const std::string& text) {
    Message message;
    for (size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) message.only_crlf = false;
    size_t end = text.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    std::string_view head = std::string_view(text).substr(0, end);
    for (auto line : split(head, '\n')) {
        std::string content(trim(line));
        if (line[0] == ' ') {
            message.headers[message.names.back()] += " " + content;
            continue;
        }
        size_t colon = content.find(": ");
        message.names.push_back(content.substr(0, colon));
        message.headers[message.names.back()] = content.substr(colon + 2);
    }
    message.body = quoted_printable(text.substr(end + 4));
    return message;
}

size_t files_in(const std::string& folder) {
    size_t count = 0;
    std::error_code missing;
    for (std::filesystem::directory_iterator at(folder, missing), end; at != end; ++at)
        ++count;
    return count;
}

}  // namespace

TEST_CASE("demo: the shipped payload becomes a complete message", "[docs]") {
    TempDir dir;
    std::string payload = test::read_file(kDemo + "email.json");

    ProgramEnd end = send(dir, payload);

    REQUIRE(end.status == 0);
    json result = json::parse(end.out);
    CHECK(result["file"] == dir / "outbox/01JDEMOJOB.eml");
    Message message = parse(test::read_file(result["file"]));
    CHECK(message.only_crlf);
    CHECK(message.names == std::vector<std::string>{"Date", "Message-ID", "From", "To", "Subject",
                                                    "Content-Type", "Content-Transfer-Encoding",
                                                    "MIME-Version"});
    CHECK(message.headers["Message-ID"] == result["message_id"]);
    CHECK(message.headers["From"] == "jobq demo <jobq@localhost>");
    CHECK(message.headers["To"].find("<zoe@example.org>") != std::string::npos);
    CHECK(message.headers["To"].find("=?utf-8?") == 0);
    CHECK(message.headers["Subject"].find("=?utf-8?") != std::string::npos);
    CHECK(message.headers["Content-Type"] == "text/plain; charset=\"utf-8\"");
    CHECK(message.headers["Content-Transfer-Encoding"] == "quoted-printable");
    CHECK(message.headers["Date"].ends_with(" +0000"));
    CHECK(message.body.starts_with("Hello Zoë,\r\n\r\nthis message was written by a job"));
}

TEST_CASE("demo: a job that runs twice writes one message", "[docs]") {
    TempDir dir;
    json first{{"to", "a@b"}, {"subject", "first"}, {"body", "1"}};
    json second{{"to", "a@b"}, {"subject", "second"}, {"body", "2"}};

    ProgramEnd one = send(dir, first), two = send(dir, second);

    CHECK(one.status == 0);
    CHECK(two.status == 0);
    CHECK(one.out == two.out);
    CHECK(files_in(dir / "outbox") == 1);
    CHECK(parse(test::read_file(json::parse(one.out)["file"])).headers["Subject"] == "first");
}

TEST_CASE("demo: bodies and subjects of any text survive", "[docs]") {
    TempDir dir;
    std::string body = "tab\there\n.\nFrom x\n=3D \xf0\x9f\x90\x98 " + std::string(500, 'y') +
                       " trailing \nlast line\n";
    std::string subject;
    for (int i = 0; i < 60; ++i)
        subject += "wörter ";

    ProgramEnd end = send(dir, json{{"to", {"a@b", "Döe, J <c@d.org>", "\"Döe, J\" <c@d.org>"}},
                                    {"subject", subject},
                                    {"body", body}});
    CHECK(end.status == 100);  // a comma in a name must be quoted: "Döe" alone is no address
    end = send(dir,
               json{{"to", {"a@b", "\"Döe, J\" <c@d.org>"}}, {"subject", subject}, {"body", body}});

    REQUIRE(end.status == 0);
    std::string text = test::read_file(json::parse(end.out)["file"]);
    for (auto line : split(text, '\n'))
        CHECK(line.size() <= 79);  // 78 and the CR
    std::string expected;
    for (char c : body)
        expected += c == '\n' ? "\r\n" : std::string(1, c);
    CHECK(parse(text).body == expected);
}

TEST_CASE("demo: input that can never work exits 100 and writes nothing", "[docs]") {
    TempDir dir;
    std::vector<std::string> payloads{
        R"({"to":"a@b","subject":"x\r\nBcc: e@f","body":""})",
        R"({"to":"a@b\nBcc: e@f","subject":"x","body":""})",
        R"({"to":"a@b","from":"c@d\u2028X: y","subject":"x","body":""})",
        R"({"to":"a@b","subject":"x\u0000y","body":""})",
        R"({"to":"a@b","subject":"\ud800","body":""})",
        R"({"to":"a@b","subject":"x","body":"\udfff"})",
        R"({"to":"nobody","subject":"x","body":""})",
        R"({"to":"","subject":"x","body":""})",
        R"({"to":[],"subject":"x","body":""})",
        R"({"to":7,"subject":"x","body":""})",
        R"({"subject":"x","body":""})",
        R"({"to":"a@b","body":""})",
        R"({"to":"a@b","subject":"x"})",
        R"(["a@b"])",
        R"(nonsense)",
        "",
    };
    for (const auto& payload : payloads) {
        INFO(payload);
        ProgramEnd end = send(dir, payload);
        CHECK(end.status == 100);
        CHECK(end.out.empty());
        CHECK(end.err.starts_with("send-email: "));
        CHECK(split(end.err, '\n').size() == 2);
    }
    CHECK(files_in(dir / "outbox") == 0);
}

TEST_CASE("demo: trouble with the outbox is temporary", "[docs]") {
    TempDir dir;
    dir.write("outbox", "a file where the folder should be");

    ProgramEnd end = send(dir, json{{"to", "a@b"}, {"subject", "x"}, {"body", ""}});

    CHECK(end.status == 75);
    CHECK(end.err.starts_with("send-email: "));
}

TEST_CASE("demo: a strange job id stays inside the outbox", "[docs]") {
    TempDir dir;
    json payload{{"to", "a@b"}, {"subject", "x"}, {"body", ""}};

    for (std::string jid : {std::string("../../escape"), std::string("a b\"<>@c"),
                            std::string(128, '\xc3') + "x", std::string("........")}) {
        ProgramEnd end = send(dir, payload.dump(), jid);
        CHECK(end.status == 0);
    }

    CHECK(files_in(dir / "outbox") == 4);
    CHECK(files_in(dir.path()) == 1);
}

TEST_CASE("demo: the child handler answers each line", "[docs]") {
    ProgramEnd end = run_program(
        {kDemo + "word-count"},
        R"({"jid":"a","type":"word-count","queue":"words","attempt":1,"deadline":"","args":"two words\n"})"
        "\n"
        R"({"jid":"b","type":"word-count","queue":"words","attempt":1,"deadline":"","args":[3]})"
        "\n",
        {});

    CHECK(end.status == 0);
    auto lines = split(end.out, '\n');
    REQUIRE(lines.size() == 3);
    CHECK(json::parse(lines[0]) ==
          json::parse(R"({"jid":"a","ok":true,"result":{"lines":1,"words":2,"bytes":10}})"));
    json refusal = json::parse(lines[1]);
    CHECK(refusal["jid"] == "b");
    CHECK(refusal["ok"] == false);
    CHECK(refusal["retry"] == false);
}
