# Turns the scripts of core/store/lua (job, look, doctor) into one C++ source, for each its name, kind,
# text and SHA-1, and a header that names them. `--@include NAME` lines are replaced by
# lua/lib/NAME.lua, and limits.kName by that number of LIMITS, core/base/limits.h. Called with
# SOURCE_DIR, LIMITS and OUT_DIR.
#
# A script that writes first asks whether Redis permits its user all the commands it writes with: to
# be refused one in its middle would leave half of its work done. (Three keys, as RENAME has two.)
set(writing HSET HSETNX HDEL HINCRBY ZADD ZREM LPUSH RPUSH LPOP RPOP LREM LTRIM SET DEL UNLINK RENAME
            EXPIRE PEXPIRE)
file(GLOB scripts ${SOURCE_DIR}/job/*.lua ${SOURCE_DIR}/look/*.lua ${SOURCE_DIR}/doctor/*.lua)
list(SORT scripts)
list(LENGTH scripts count)
file(READ ${LIMITS} limits_h)
set(rows "")
set(names "")
set(at 0)
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
  while(text MATCHES "limits\\.(k[A-Za-z]+)")
    set(limit ${CMAKE_MATCH_1})
    if(NOT limits_h MATCHES "[ (]${limit} = ([0-9']+)[,;]")
      message(FATAL_ERROR "${path}: limits.${limit} is no plain number of ${LIMITS}")
    endif()
    string(REPLACE "'" "" number ${CMAKE_MATCH_1})
    string(REGEX REPLACE "limits\\.${limit}([^A-Za-z])" "${number}\\1" text "${text}")
  endwhile()
  if(NOT text MATCHES "\n-- KIND: (reads|moves|takes|adds)\n")
    message(FATAL_ERROR "${path}: its head has no line \"-- KIND: \" with reads, moves, takes or adds")
  endif()
  set(kind ${CMAKE_MATCH_1})
  if(NOT kind STREQUAL reads)
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
  string(APPEND rows
         "    {\"${name}\"sv, ScriptKind::${kind}, \"${sha}\"sv, R\"lua(${text})lua\"sv},\n")
  string(APPEND names "inline constexpr const Script& ${name} = kAll[${at}];\n")
  math(EXPR at "${at} + 1")
endforeach()

# What did not change is not written, so that nothing is compiled anew for it.
function(write_changed path content)
  if(EXISTS ${path})
    file(READ ${path} before)
    if(before STREQUAL content)
      return()
    endif()
  endif()
  file(WRITE ${path} "${content}")
endfunction()

write_changed(${OUT_DIR}/scripts.h "// Generated from core/store/lua by embed_lua.cmake.
#pragma once

#include \"core/store/link/script.h\"

namespace jobq::scripts {

extern const Script kAll[${count}];
${names}
}  // namespace jobq::scripts
")
write_changed(${OUT_DIR}/scripts_data.cpp "// Generated from core/store/lua by embed_lua.cmake.
#include \"core/store/link/scripts.h\"

namespace jobq {
using namespace std::string_view_literals;

constexpr Script scripts::kAll[] = {
${rows}};

std::span<const Script> all_scripts() {
    return scripts::kAll;
}
}  // namespace jobq
")
