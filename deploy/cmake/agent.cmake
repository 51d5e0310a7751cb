# The agents that are sent to targets: static programs without an interpreter, built with musl from
# the same files as the room `agent`, one for each architecture. That of this computer is always
# built; the other one where deploy/sysroot.sh has made a sysroot and there is a cross compiler.
#
# MUSTER_AGENTS in the global scope: a list of arch=path.
set(MUSTER_SYSROOT ${PROJECT_SOURCE_DIR}/build/sysroot CACHE PATH
  "what deploy/sysroot.sh makes: a folder for each other architecture")

# Small first: it travels to every host. Without relro, which pads the file by a page of 64 KiB on
# aarch64; in a program without relocations it would protect next to nothing. agent/small takes the
# place of what is large in the libc.
set(MUSTER_AGENT_FLAGS -std=c17 -D_GNU_SOURCE -DMUSTER_SMALL_LIBC
  -DMUSTER_VERSION=\"${PROJECT_VERSION}\" -Os -flto -flto-partition=one
  -ffunction-sections -fdata-sections -fno-unwind-tables -fno-asynchronous-unwind-tables -fstack-protector
  -fno-pie -no-pie -static -s -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noseparate-code
  -Wl,-z,norelro -Wl,-z,noexecstack)
# Pages have 4 to 64 KiB there. With the greatest, which is the default for what must hold, as the
# common one too, the file has no padding between its segments. All of it lies within a MiB, which
# makes each address one instruction in place of two; the linker would say if it did not.
set(MUSTER_AGENT_FLAGS_aarch64 -fomit-frame-pointer -mcmodel=tiny -Wl,-z,common-page-size=65536)

# The libraries' headers in a folder of their own: beside them are those of another libc.
function(muster_agent_headers from to)
  file(MAKE_DIRECTORY ${to})
  foreach(name msgpack.h msgpack linux asm-generic xxhash.h)
    if(EXISTS ${from}/${name} AND NOT EXISTS ${to}/${name})
      file(CREATE_LINK ${from}/${name} ${to}/${name} SYMBOLIC)
    endif()
  endforeach()
endfunction()

# muster_static_agent(ARCH LIBRARY INCLUDE COMPILER...): agent/agent-ARCH in the build folder.
function(muster_static_agent arch library include)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/agent-${arch})
  set(root ${PROJECT_SOURCE_DIR})
  file(GLOB sources CONFIGURE_DEPENDS ${root}/src/*.c ${root}/src/files/*.c ${root}/proto/*.c ${root}/agent/*.c
    ${root}/agent/parse/*.c ${root}/agent/small/*.c ${root}/agent/spool/*.c)
  file(GLOB headers CONFIGURE_DEPENDS ${root}/src/*.h ${root}/src/*.def ${root}/src/files/*.h ${root}/proto/*.h
    ${root}/proto/*.def ${root}/agent/*.h ${root}/agent/parse/*.h
    ${root}/agent/small/*.h ${root}/agent/spool/*.h)
  # The log writes to files and terminals, which the agent has none of.
  list(REMOVE_ITEM sources ${root}/src/log.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${ARGN} ${MUSTER_AGENT_FLAGS} ${MUSTER_AGENT_FLAGS_${arch}}
      -iquote ${root}/src -iquote ${root}/src/files -iquote ${root}/proto -iquote ${root}/agent
      -iquote ${root}/agent/parse -iquote ${root}/agent/small -iquote ${root}/agent/spool
      -isystem ${include} ${sources} ${library} -o ${out}
    DEPENDS ${sources} ${headers}
    COMMENT "the agent for ${arch}"
    VERBATIM)
  add_custom_target(static-agent-${arch} ALL DEPENDS ${out})
  set_property(GLOBAL APPEND PROPERTY MUSTER_AGENTS ${arch}=${out})
endfunction()

function(muster_agent_native arch)
  find_program(MUSTER_MUSL_GCC musl-gcc)
  if(NOT MUSTER_MUSL_GCC)
    message(FATAL_ERROR "musl-gcc is not installed, and the agent is built with it. "
      "The cure is the package musl-tools: apt-get install musl-tools")
  endif()
  find_library(MUSTER_MSGPACK_STATIC NAMES libmsgpack-c.a libmsgpackc.a REQUIRED)
  pkg_get_variable(include ${MSGPACK_MODULE_NAME} includedir)
  set(headers ${CMAKE_CURRENT_BINARY_DIR}/include-${arch})
  muster_agent_headers(${include} ${headers})
  muster_static_agent(${arch} ${MUSTER_MSGPACK_STATIC} ${headers} ${MUSTER_MUSL_GCC})
endfunction()

function(muster_agent_cross arch)
  find_program(MUSTER_CROSS_GCC ${arch}-linux-gnu-gcc)
  set(sysroot ${MUSTER_SYSROOT}/${arch})
  if(NOT MUSTER_CROSS_GCC)
    message(WARNING "no agent for ${arch}: there is no ${arch}-linux-gnu-gcc here. "
      "Hosts of that kind are run without an agent. docs/dependencies.md says what to install.")
  elseif(NOT EXISTS ${sysroot}/musl.specs)
    message(WARNING "no agent for ${arch}: there is no sysroot in ${sysroot}. "
      "Hosts of that kind are run without an agent. The cure: sh deploy/sysroot.sh ${arch}")
  else()
    set(headers ${CMAKE_CURRENT_BINARY_DIR}/include-${arch})
    muster_agent_headers(${sysroot}/usr/include ${headers})
    muster_static_agent(${arch} ${sysroot}/libmsgpack.a ${headers} ${MUSTER_CROSS_GCC}
      -specs ${sysroot}/musl.specs -mno-outline-atomics)
  endif()
endfunction()

function(muster_static_agents)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
    muster_agent_native(aarch64)
  else()
    muster_agent_native(${CMAKE_SYSTEM_PROCESSOR})
    muster_agent_cross(aarch64)
  endif()
endfunction()
