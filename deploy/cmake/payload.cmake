# cmake -DAGENTS=arch=path;... -DOUT=file.c -P payload.cmake: the table of initiator/payload.
set(blobs)
set(rows)
foreach(agent ${AGENTS})
  string(REGEX MATCH "^([^=]*)=(.*)$" whole ${agent})
  set(arch ${CMAKE_MATCH_1})
  set(path ${CMAKE_MATCH_2})
  file(SHA256 ${path} hash)
  file(SIZE ${path} size)
  string(APPEND blobs "extern const uint8_t payload_${arch}[];\n"
    "__asm__(\".pushsection .rodata\\n\"\n"
    "\t\".balign 16\\n\"\n"
    "\t\"payload_${arch}:\\n\"\n"
    "\t\".incbin \\\"${path}\\\"\\n\"\n"
    "\t\".popsection\\n\");\n")
  string(APPEND rows "\t{\"${arch}\", payload_${arch}, ${size}u, \"${hash}\"},\n")
endforeach()
file(WRITE ${OUT} "/* Made by deploy/cmake/payload.cmake. */
#include \"payload_private.h\"

${blobs}
const struct payload payload_rows[] = {
${rows}\t{0},
};
")
