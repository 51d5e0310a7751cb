#include "crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>
#elif defined(__AARCH64EL__)
#include <sys/auxv.h>
#define CRC_HWCAP (1ul << 7) /* HWCAP_CRC32, asm/hwcap.h, which not every libc has */
#endif

/*
 * Slicing by 8: table k maps a byte to its effect after k more bytes. A CRC is linear, so an entry
 * is the sum (xor) of those for its bits, and the eight values for single bits say all about a
 * table. The compiler does the rest: the tables are constant.
 */
#define CRC_ENTRY(n, b0, b1, b2, b3, b4, b5, b6, b7)                                     \
	(((n)&1 ? b0 : 0u) ^ ((n)&2 ? b1 : 0u) ^ ((n)&4 ? b2 : 0u) ^ ((n)&8 ? b3 : 0u) ^ \
	 ((n)&16 ? b4 : 0u) ^ ((n)&32 ? b5 : 0u) ^ ((n)&64 ? b6 : 0u) ^ ((n)&128 ? b7 : 0u))
#define CRC_ENTRIES_4(n, ...)                                         \
	CRC_ENTRY((n), __VA_ARGS__), CRC_ENTRY((n) + 1, __VA_ARGS__), \
		CRC_ENTRY((n) + 2, __VA_ARGS__), CRC_ENTRY((n) + 3, __VA_ARGS__)
#define CRC_ENTRIES_16(n, ...)                                                \
	CRC_ENTRIES_4((n), __VA_ARGS__), CRC_ENTRIES_4((n) + 4, __VA_ARGS__), \
		CRC_ENTRIES_4((n) + 8, __VA_ARGS__), CRC_ENTRIES_4((n) + 12, __VA_ARGS__)
#define CRC_ENTRIES_64(n, ...)                                                   \
	CRC_ENTRIES_16((n), __VA_ARGS__), CRC_ENTRIES_16((n) + 16, __VA_ARGS__), \
		CRC_ENTRIES_16((n) + 32, __VA_ARGS__), CRC_ENTRIES_16((n) + 48, __VA_ARGS__)
#define CRC_TABLE(...)                                                                     \
	{                                                                                  \
		CRC_ENTRIES_64(0, __VA_ARGS__), CRC_ENTRIES_64(64, __VA_ARGS__),           \
			CRC_ENTRIES_64(128, __VA_ARGS__), CRC_ENTRIES_64(192, __VA_ARGS__) \
	}

/* Where the program has to be small (the agent), one table does: nearly all processors have an
 * instruction for it, and then none is used. */
#ifdef __OPTIMIZE_SIZE__
#define CRC_TABLES 1
#else
#define CRC_TABLES 8
#endif

static const uint32_t crc_tables[CRC_TABLES][256] = {
	CRC_TABLE(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu,
		  0x417b1dbcu, 0x82f63b78u),
#if CRC_TABLES == 8
	CRC_TABLE(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u,
		  0xff17c604u, 0xfbc3faf9u),
	CRC_TABLE(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u,
		  0xc76580d9u, 0x8b277743u),
	CRC_TABLE(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu,
		  0xaba65fe7u, 0x52a0c93fu),
	CRC_TABLE(0x38116facu, 0x7022df58u, 0xe045beb0u, 0xc5670b91u, 0x8f2261d3u, 0x1ba8b557u,
		  0x37516aaeu, 0x6ea2d55cu),
	CRC_TABLE(0xef306b19u, 0xdb8ca0c3u, 0xb2f53777u, 0x6006181fu, 0xc00c303eu, 0x85f4168du,
		  0x0e045bebu, 0x1c08b7d6u),
	CRC_TABLE(0x68032cc8u, 0xd0065990u, 0xa5e0c5d1u, 0x4e2dfd53u, 0x9c5bfaa6u, 0x3d5b83bdu,
		  0x7ab7077au, 0xf56e0ef4u),
	CRC_TABLE(0x493c7d27u, 0x9278fa4eu, 0x211d826du, 0x423b04dau, 0x847609b4u, 0x0d006599u,
		  0x1a00cb32u, 0x34019664u),
#endif
};

#if CRC_TABLES == 8
static uint32_t crc_load(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
#endif

uint32_t crc32c_soft(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;

	crc = ~crc;
#if CRC_TABLES == 8
	for (; n >= 8; n -= 8, p += 8) {
		uint32_t lo = crc ^ crc_load(p);
		uint32_t hi = crc_load(p + 4);

		crc = crc_tables[7][lo & 0xff] ^ crc_tables[6][lo >> 8 & 0xff] ^
		      crc_tables[5][lo >> 16 & 0xff] ^ crc_tables[4][lo >> 24] ^
		      crc_tables[3][hi & 0xff] ^ crc_tables[2][hi >> 8 & 0xff] ^
		      crc_tables[1][hi >> 16 & 0xff] ^ crc_tables[0][hi >> 24];
	}
#endif
	for (; n; n--, p++)
		crc = crc >> 8 ^ crc_tables[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)

#define CRC_TARGET __attribute__((target("sse4.2")))

/* As __builtin_cpu_supports(), which knows every processor there is in 4 KB: asked once, before
 * main, since the instruction takes its time, above all in a virtual machine. */
static bool crc_hard;

__attribute__((constructor)) static void crc_look(void)
{
	unsigned a, b, c, d;

	crc_hard = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

bool crc32c_has_hard(void)
{
	return crc_hard;
}

CRC_TARGET static inline uint64_t crc_word(uint64_t crc, uint64_t word)
{
	return _mm_crc32_u64(crc, word);
}

CRC_TARGET static inline uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
	return _mm_crc32_u8(crc, byte);
}

#elif defined(__AARCH64EL__)

#define CRC_TARGET

bool crc32c_has_hard(void)
{
	return getauxval(AT_HWCAP) & CRC_HWCAP;
}

/* By assembly, as compilers do not agree on the names of the intrinsics and of the target. */
static inline uint64_t crc_word(uint64_t crc, uint64_t word)
{
	uint32_t c = (uint32_t)crc;

	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(c) : "r"(word));
	return c;
}

static inline uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
	return crc;
}

#endif

#ifdef CRC_TARGET

/*
 * The instruction takes three cycles, but one can begin in each: three parts of a block go side by
 * side. To append zeros is to multiply by a power of x (zlib's crc32_combine does the same), and so
 * the three sums become one: x^(8 * CRC_PART) and x^(16 * CRC_PART) modulo the polynomial, the bits
 * reflected.
 */
#define CRC_PART 4096u
#define CRC_BY_1 0x35d73a62u
#define CRC_BY_2 0x28461564u
#define CRC_POLY 0x82f63b78u

static uint32_t crc_join(uint32_t a, uint32_t b, uint32_t c)
{
	for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
		c ^= (CRC_BY_2 & bit ? a : 0) ^ (CRC_BY_1 & bit ? b : 0);
		a = a >> 1 ^ (CRC_POLY & (0u - (a & 1)));
		b = b >> 1 ^ (CRC_POLY & (0u - (b & 1)));
	}
	return c;
}

CRC_TARGET static uint32_t crc_block(uint32_t crc, const uint8_t *p)
{
	uint64_t a = crc, b = 0, c = 0;

	for (size_t i = 0; i < CRC_PART; i += 8) {
		uint64_t words[3];

		memcpy(&words[0], p + i, 8);
		memcpy(&words[1], p + CRC_PART + i, 8);
		memcpy(&words[2], p + 2 * CRC_PART + i, 8);
		a = crc_word(a, words[0]);
		b = crc_word(b, words[1]);
		c = crc_word(c, words[2]);
	}
	return crc_join((uint32_t)a, (uint32_t)b, (uint32_t)c);
}

CRC_TARGET uint32_t crc32c_hard(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t wide;

	crc = ~crc;
	for (; n >= 3 * CRC_PART; n -= 3 * CRC_PART, p += 3 * CRC_PART)
		crc = crc_block(crc, p);
	wide = crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof word);
		wide = crc_word(wide, word);
	}
	crc = (uint32_t)wide;
	for (; n; n--, p++)
		crc = crc_byte(crc, *p);
	return ~crc;
}

#else

bool crc32c_has_hard(void)
{
	return false;
}

uint32_t crc32c_hard(uint32_t crc, const void *data, size_t n)
{
	return crc32c_soft(crc, data, n);
}

#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
	return crc32c_has_hard() ? crc32c_hard(crc, data, n) : crc32c_soft(crc, data, n);
}
