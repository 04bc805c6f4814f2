# Turns core/store/lua/*.lua into one C++ source: for each script its name, text and SHA-1.
# `--@include NAME` lines are replaced by lua/lib/NAME.lua. Called with SOURCE_DIR and OUT.
#
# A script that writes first asks whether Redis permits its user all the commands it writes with: to
# be refused one in its middle would leave half of its work done. (Three keys, as RENAME has two.)
set(writing HSET HSETNX HDEL HINCRBY ZADD ZREM LPUSH RPUSH LPOP RPOP LREM LTRIM SET DEL UNLINK RENAME
            EXPIRE PEXPIRE)
file(GLOB scripts ${SOURCE_DIR}/*.lua)
list(SORT scripts)
set(rows "")
foreach(path IN LISTS scripts)
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  file(GLOB libs ${SOURCE_DIR}/lib/*.lua)
  foreach(lib IN LISTS libs)
    get_filename_component(lib_name ${lib} NAME_WE)
    string(FIND "${text}" "--@include ${lib_name}\n" found)
    if(NOT found EQUAL -1)
      file(READ ${lib} lib_text)
      string(REPLACE "--@include ${lib_name}\n" "${lib_text}" text "${text}")
    endif()
  endforeach()
  string(FIND "${text}" "--@include" unresolved)
  if(NOT unresolved EQUAL -1)
    message(FATAL_ERROR "${path}: an --@include names no file of lua/lib")
  endif()
  if(NOT text MATCHES "^#!lua flags=no-writes")
    set(used "")
    foreach(command IN LISTS writing)
      if(text MATCHES "'${command}'")
        string(APPEND used "'${command}',")
      endif()
    endforeach()
    string(FIND "${text}" "\n" first_line)
    string(SUBSTRING "${text}" 0 ${first_line} shebang)
    string(SUBSTRING "${text}" ${first_line} -1 text)
    string(CONFIGURE [[
for _, command in ipairs({@used@}) do
    local key = KEYS[1] .. 'j'
    if not redis.acl_check_cmd(command, key, key, key) then
        return redis.error_reply('NOPERM this user has no permissions to run ' .. command)
    end
end]] permitted @ONLY)
    set(text "${shebang}\n${permitted}${text}")
  endif()
  string(SHA1 sha "${text}")
  string(APPEND rows "    {\"${name}\"sv, \"${sha}\"sv, R\"lua(${text})lua\"sv},\n")
endforeach()
file(WRITE ${OUT} "// Generated from core/store/lua by embed_lua.cmake.
#include \"core/store/script.h\"

namespace jobq {
namespace {
using namespace std::string_view_literals;

constexpr Script kScripts[] = {
${rows}};
}  // namespace

std::span<const Script> all_scripts() {
    return kScripts;
}
}  // namespace jobq
")
