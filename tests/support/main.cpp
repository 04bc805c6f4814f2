// main() of every test executable: Catch2's. Kept in the test kit so that it is compiled once.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
