/*
 * Words for tables of fields (layout.h): the files that hold the messages are nothing else. Each
 * field has the name of a member of struct TYPE.
 */
#ifndef MUSTER_FIELDS_H
#define MUSTER_FIELDS_H

#include <stddef.h>

#include "layout.h"

#define FIELD(type, k, member, ...)                                                       \
	{                                                                                 \
		.name = #member, .kind = LAYOUT_##k, .at = offsetof(struct type, member), \
		__VA_ARGS__                                                               \
	}
#define U64(type, member, cap)	    FIELD(type, U64, member, .max = (cap))
#define NEED_U64(type, member)	    FIELD(type, U64, member, .max = UINT64_MAX, .need = true)
#define I64(type, member, none)	    FIELD(type, I64, member, .absent = (none))
#define BOOL(type, member)	    FIELD(type, BOOL, member, .max = 1)
#define STR(type, member, cap)	    FIELD(type, STR, member, .max = (cap))
#define NEED_STR(type, member, cap) FIELD(type, STR, member, .max = (cap), .need = true)
#define TEXT(type, member, cap)	    FIELD(type, TEXT, member, .max = (cap))
#define SECRET(type, member, cap)   FIELD(type, SECRET, member, .max = (cap))
#define LIST(type, k, member, counter, cap) \
	FIELD(type, k, member, .count_at = offsetof(struct type, counter), .max = (cap))

#define LAYOUT(struct_name, title, check)                                              \
	static const struct layout struct_name##_layout = {                            \
		.name = title,                                                         \
		.size = sizeof(struct struct_name),                                    \
		.fields = struct_name##_fields,                                        \
		.count = sizeof struct_name##_fields / sizeof struct_name##_fields[0], \
		.verify = check,                                                       \
	};

/* The three functions of control_msg.h and agent_msg.h. */
#define MESSAGE_DEFINE(message, title, check)                                      \
	LAYOUT(message##_msg, title, check)                                        \
	void message##_put(struct buf *out, const struct message##_msg *m)         \
	{                                                                          \
		layout_put(out, &message##_msg_layout, m);                         \
	}                                                                          \
	int message##_get(struct message##_msg *ret, const void *data, size_t len, \
			  struct errmsg *msg)                                      \
	{                                                                          \
		return layout_get(&message##_msg_layout, ret, data, len, msg);     \
	}                                                                          \
	void message##_done(struct message##_msg *m)                               \
	{                                                                          \
		layout_done(&message##_msg_layout, m);                             \
	}

/* Rules that messages share; each tells of what is wrong by wire_fault. */

/* The bytes of all strings together, each with its NUL. */
size_t fields_total(char *const *strs, size_t count);
void fields_versions(struct wire_in *in, uint64_t min, uint64_t max);
/* argv may be longer than can be executed. */
void fields_argv(struct wire_in *in, char *const *argv, size_t argc);
/* K=V each, and not too much. */
void fields_env(struct wire_in *in, char *const *env, size_t count);
void fields_nice(struct wire_in *in, int64_t nice);
/* A schema has a number, and columns with names of a bounded length. */
void fields_schema(struct wire_in *in, uint64_t schema, char *const *columns, size_t count);

#endif
