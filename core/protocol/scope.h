// Scope: what a client must be allowed to do for a verb or a route, and Scopes, a set of them: what
// it is allowed. Each verb and each route names its scope in its row; the fronts ask.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace jobq {

// none: for every client that may connect.
enum class Scope : uint8_t { none, read, enqueue, work, admin };

inline constexpr std::array kScopes{Scope::none, Scope::read, Scope::enqueue, Scope::work,
                                    Scope::admin};

constexpr std::string_view name(Scope scope) {
    constexpr std::string_view kNames[] = {"none", "read", "enqueue", "work", "admin"};
    return kNames[size_t(scope)];
}

class Scopes {
  public:
    // All of them.
    constexpr Scopes() = default;

    constexpr Scopes(std::initializer_list<Scope> some) : bits_(bit(Scope::none)) {
        for (Scope scope : some)
            bits_ |= bit(scope);
    }

    constexpr bool has(Scope scope) const { return (bits_ & bit(scope)) != 0; }

  private:
    static constexpr unsigned bit(Scope scope) { return 1U << unsigned(scope); }

    unsigned bits_ = ~0U;
};

}  // namespace jobq
