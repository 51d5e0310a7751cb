# How everything is compiled. The presets in CMakePresets.json choose among these.
option(MUSTER_WERROR "warnings are errors" OFF)
option(MUSTER_HARDEN "hardening flags and link-time optimisation" OFF)
option(MUSTER_TESTS "build the tests" ON)
set(MUSTER_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wswitch-enum -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual)
if(MUSTER_WERROR)
  add_compile_options(-Werror)
endif()
if(MUSTER_HARDEN)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
if(MUSTER_SANITIZE)
  add_compile_options(-fsanitize=${MUSTER_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MUSTER_SANITIZE})
endif()
