// HttpClient: a client of the HTTP API that is none of ours: a blocking socket that says what the
// test wants, and reads whole answers. Every read has a limit.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace jobq::test {

struct HttpAnswer {
    int status = 0;                              // 0: the connection closed first
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

class HttpClient {
  public:
    // Throw when nobody listens.
    explicit HttpClient(int port);
    explicit HttpClient(const std::string& unix_path);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;

    // Keeps the connection. A body is JSON unless the headers ("Name: value") say something else.
    HttpAnswer ask(const std::string& method, const std::string& target,
                   const std::string& body = "", const std::vector<std::string>& headers = {});

    // False when the other side is gone.
    bool send(const std::string& bytes);
    // Says that nothing more comes.
    void end_sending();
    HttpAnswer answer(bool of_head = false);
    // The next line of a streamed body, without its end; chunks are taken apart.
    std::string streamed_line();
    // Nothing more comes: true once the other side has closed.
    bool at_end();

  private:
    void limit_reads();
    bool more();
    std::string line();
    std::string bytes(size_t count);
    std::string chunk();

    int fd_ = -1;
    std::string in_, streamed_;
};

}  // namespace jobq::test
