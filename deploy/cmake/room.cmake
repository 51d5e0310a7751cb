# muster_room(NAME [NEEDS target...]): one static library from the .c files of this folder.
# Its headers are visible to those that name it in NEEDS, and to nobody else, so an include
# against the direction of docs/HACKING.md does not compile.
function(muster_room name)
  cmake_parse_arguments(ARG "" "" "NEEDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  if(NOT sources)
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.c)
    file(CONFIGURE OUTPUT ${sources} CONTENT "extern int ${name}_is_empty;\n")
  endif()
  add_library(${name} STATIC ${sources})
  # -iquote and not -I: src/limits.h must not stand in for the system's <limits.h>.
  target_compile_options(${name} INTERFACE "SHELL:-iquote ${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${ARG_NEEDS})
endfunction()
