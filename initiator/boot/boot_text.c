/*
 * The texts that run on the target. Each stands in single quotes, as one argument of sh, because it
 * has to pass through a login shell that may be anything: so it has no single quote, newline,
 * backslash or exclamation mark, each of which some shell changes even there. Its functions are
 * named so that they are no alias of a ksh. What it relies on is in GNU, busybox and toybox alike.
 *
 * m umask to go back to  n nonce  a architecture  s size  h hash  f file name  u uid
 * c cache directory  g file
 * p parent  d directory  t temporary file  w answer of a tool  e why directories were refused
 */
#include "boot.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot_text.h"
#include "buf.h"

/* "'" between two texts in single quotes that a shell is to hand on with them. */
#define QUOTE "\"'\""

/* For an XDG_CACHE_HOME that is no path, or the usual one, nothing is done twice. */
#define TEXT_CACHE "c=$XDG_CACHE_HOME;case $c in \"$HOME/.cache\")c=;;/*);;*)c=;;esac;"
#define TEXT_BEGIN "u=$(id -u);" TEXT_CACHE

#define TEXT_WALK "for p in \"$c\" \"${HOME:+$HOME/.cache}\" /run/user/$u /var/tmp /tmp;do "

/*
 * at PARENT [mkdir]: sets d, and says whether it may be trusted: it is a real directory in a parent
 * where nobody else can exchange it, and ours. What counts is where cd has really arrived: between
 * a look at a name and its use somebody could put a symlink there. Not "muster": the daemon's
 * socket may stand in a directory of that name.
 */
#define TEXT_AT                                                                              \
	"at(){ d=;case $1 in /tmp|/var/tmp)b=muster-agent-$u;[ -k $1 ];;"                    \
	"/*)b=muster-agent;[ -O \"$1\" ];;*)false;;esac||return 1;"                          \
	"d=$1/$b;[ -d \"$d\" ]||${2:-:} \"$d\" 2>/dev/null;"                                 \
	"(cd -P \"$1\"&&q=$(pwd -P)&&cd ./$b&&[ \"$(pwd -P)\" = \"${q%/}/$b\" ]&&[ -O . ]&&" \
	"chmod 700 .)>/dev/null 2>&1; };"

/* ck FILE: is it the agent? Where nothing can hash, its size has to do. */
#define TEXT_CHECK                                                             \
	"ck(){ w=$(sha256sum 2>/dev/null <\"$1\");case $w in $h*);;?*)false;;" \
	"*)w=$(wc -c <\"$1\");[ ${w:-0} -eq $s ];;esac; };"

/*
 * tv FILE: does it run here? Its status alone does not say so: a shell that cannot execute a file
 * may read it as a script instead. It then finds no program to start.
 */
#define TEXT_TRY                                                                              \
	"tv(){ w=$(cd \"$d\"&&PATH=/dev/null&&exec \"$1\" --version 2>/dev/null </dev/null);" \
	"case $w in muster-agent*);;*)false;;esac; };"

#define TEXT_GO "go(){ ${m:+umask $m};echo \"$n RUN $d/$f\";exec \"$d/$f\"; };"

/*
 * The usual case, with as few processes as can be: in our own home, nobody else can exchange what
 * is ours, and where it may not be executed a look at it says so.
 */
#define TEXT_QUICK                                                                      \
	"for p in \"$c\" \"${HOME:+$HOME/.cache}\";do d=$p/muster-agent;g=$d/$f;"       \
	"[ -h \"$d\" ]||{ [ -f \"$g\" ]&&[ -O \"$g\" ]&&[ -x \"$g\" ]&&[ -O \"$d\" ]&&" \
	"[ -O \"$p\" ]&&chmod 700 \"$d\"&&ck \"$g\"&&go; };done;"

#define TEXT_CACHED                                                                             \
	TEXT_WALK "at \"$p\"&&[ -f \"$d/$f\" ]&&[ -O \"$d/$f\" ]&&ck \"$d/$f\"&&tv \"$d/$f\"&&" \
		  "go;done;"

/* A script of one line tells whether anything may be executed there, before 50 KB are sent. */
#define TEXT_PROBE                                                                                 \
	"at \"$p\" mkdir||{ [ -z \"$p\" ]||e=\"$e ${d:-$p} (no directory of ours),\";continue; };" \
	"t=$d/agent.$n;{ echo : >\"$t\"&&chmod 700 \"$t\"; } 2>/dev/null||"                        \
	"{ rm -f \"$t\" 2>/dev/null;e=\"$e $d (full or read-only),\";continue; };"                 \
	"\"$t\" </dev/null 2>/dev/null||"                                                          \
	"{ rm -f \"$t\" 2>/dev/null;e=\"$e $d (noexec),\";continue; };"

/* The connection may be lost at any time. exec gives the signals back. */
#define TEXT_CLEAN "t=;un(){ rm -f \"$t\" 2>/dev/null;exit 1; };trap un HUP INT PIPE TERM;"

/* Whatever happens to the file, exactly s bytes are read: the next directory starts afresh. */
#define TEXT_RECEIVE                                              \
	"echo \"$n NEED $a $s $d\";"                              \
	"head -c $s|{ cat >\"$t\";cat >/dev/null; } 2>/dev/null;" \
	"w=$(wc -c 2>/dev/null <\"$t\");[ ${w:-0} -eq $s ]||"     \
	"{ rm -f \"$t\" 2>/dev/null;e=\"$e $d (full),\";continue 2; };"

/* Renamed over what is there, so that of many at once each has a whole file at any time. */
#define TEXT_KEEP                                                                                  \
	"if ck \"$t\";then chmod 700 \"$t\";"                                                      \
	"tv \"$t\"||{ rm -f \"$t\";echo \"$n ARCH $a\";exit 1; };"                                 \
	"mv -f \"$t\" \"$d/$f\" 2>/dev/null||"                                                     \
	"{ rm -f \"$t\" 2>/dev/null;e=\"$e $d (cannot rename),\";continue 2; };"                   \
	"find \"$d\" -name \"agent*\" -mtime +30 -exec rm -f {} \";\" </dev/null >/dev/null 2>&1;" \
	"go;fi;"

#define TEXT_PUSH                                                                                \
	TEXT_CLEAN "m=$(umask);umask 077;[ -O \"$HOME\" ]&&mkdir \"$HOME/.cache\" "              \
		   "2>/dev/null;" TEXT_WALK TEXT_PROBE "for k in 1 2;do " TEXT_RECEIVE TEXT_KEEP \
		   "rm -f \"$t\";echo \"$n BAD\";done;"                                          \
		   "exit 1;done;echo \"$n NODIR$e\";exit 1"

/* For each agent in g: its hash in w, and what its name says in b. */
#define TEXT_EACH                                                     \
	"sh -c '" TEXT_BEGIN TEXT_AT TEXT_WALK "at \"$p\"||continue;" \
	"for g in \"$d\"/agent-*;do [ -f \"$g\" ]||continue;"         \
	"b=${g##*/agent-};w=$(sha256sum 2>/dev/null <\"$g\");w=${w%% *};"

#define TEXT_PRINT "echo \"${b%-*}\t${w:-${b##*-}}\t$g\";"

const char *boot_list_command(void)
{
	return TEXT_EACH TEXT_PRINT "done;done;exit 0'";
}

const char *boot_remove_command(void)
{
	return TEXT_EACH "rm -f \"$g\"&&" TEXT_PRINT "done;"
			 "rm -f \"$d\"/agent*;rmdir \"$d\" 2>/dev/null;done;exit 0'";
}

static void boot_text_nonce(struct buf *out, const struct boot_spec *spec)
{
	buf_addf(out, "n=%.8s;n=${n}%s;", spec->nonce, spec->nonce + 8);
}

static void boot_text_payloads(struct buf *out, const struct boot_spec *spec)
{
	buf_add_str(out, "a=$(uname -m);case $a in ");
	for (size_t i = 0; i < spec->payload_count; i++) {
		const struct payload *p = &spec->payloads[i];
		const char *alias = "";

		if (!strcmp(p->arch, "x86_64"))
			alias = "|amd64";
		else if (!strcmp(p->arch, "aarch64"))
			alias = "|arm64";
		buf_addf(out, "%s%s)a=%s;s=%zu;h=%s;f=agent-%s-%.16s;;", p->arch, alias, p->arch,
			 p->len, p->sha256, p->arch, p->sha256);
	}
	buf_add_str(out, "*)echo \"$n ARCH $a\";exit 1;;esac;");
}

/* What becomes the agent, as the user that runs it. */
static void boot_text_agent(struct buf *out, const struct boot_spec *spec)
{
	buf_add_str(out, "m=;");
	boot_text_nonce(out, spec);
	if (spec->become != BOOT_AS_SELF)
		buf_add_str(out, "echo \"$n " BOOT_WORD_THROUGH "\";"
				 "echo \"$n " BOOT_WORD_THROUGH "\">&2;");
	boot_text_payloads(out, spec);
	buf_add_str(out, TEXT_CHECK TEXT_GO TEXT_CACHE TEXT_QUICK TEXT_BEGIN TEXT_AT TEXT_TRY
		    "e=;" TEXT_CACHED TEXT_PUSH);
}

static void boot_text_become(struct buf *out, const struct boot_spec *spec)
{
	const char *user = spec->become_user ? spec->become_user : "root";

	boot_text_nonce(out, spec);
	buf_add_str(out, "echo \"$n " BOOT_WORD_BECOME "\";echo \"$n " BOOT_WORD_BECOME "\">&2;");
	switch (spec->become) {
	case BOOT_SUDO:
		if (spec->password)
			buf_addf(out, "exec sudo -k -S -p \"$n " BOOT_WORD_ASK "\" -H -u %s", user);
		else
			buf_addf(out, "exec sudo -n -H -u %s", user);
		buf_add_str(out, " -- sh -c \"$0\"");
		break;
	case BOOT_SU:
		buf_addf(out, "exec su %s -c \"$0\"", user);
		break;
	case BOOT_DOAS:
		buf_addf(out, "exec doas -n -u %s sh -c \"$0\"", user);
		break;
	case BOOT_AS_SELF:
		break;
	}
}

/* No leading dash: it is an argument of sudo. */
static bool boot_text_user_ok(const char *user)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t len = strlen(user);

	return len > 0 && len <= BOOT_USER_MAX && user[0] != '-' && strspn(user, allowed) == len;
}

/* su gives its text to the login shell of the other user: one more layer. */
static void boot_text_argument(struct buf *out, const char *agent, const struct boot_spec *spec)
{
	if (spec->become == BOOT_SU)
		buf_addf(out, "'%ssh -c '" QUOTE "'%s'" QUOTE, spec->no_exec ? "" : "exec ", agent);
	else
		buf_addf(out, "'%s'", agent);
}

int boot_command(char **ret_text, const struct boot_spec *spec, struct errmsg *msg)
{
	struct buf agent = {0}, out = {0};

	if (spec->subsystem)
		return err_set(msg, ERR_UNSUPPORTED, "a subsystem is started without a command");
	if (spec->become_user && !boot_text_user_ok(spec->become_user))
		return err_set(msg, ERR_SYNTAX,
			       "cannot become user \"%.100s\": a user name has 1 to %u letters, "
			       "digits, '_', '.' and '-', and does not begin with '-'",
			       spec->become_user, BOOT_USER_MAX);
	boot_text_agent(&agent, spec);
	buf_addf(&out, "%ssh -c '", spec->no_exec ? "" : "exec ");
	if (spec->become == BOOT_AS_SELF) {
		buf_add(&out, agent.data, agent.len);
		buf_add_char(&out, '\'');
	} else {
		boot_text_become(&out, spec);
		buf_add_str(&out, "' ");
		boot_text_argument(&out, buf_cstr(&agent), spec);
	}
	buf_done(&agent);
	*ret_text = buf_take_str(&out);
	return 0;
}
