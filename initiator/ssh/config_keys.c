#include <strings.h>

#include "alloc.h"
#include "config_private.h"

/* What OpenSSH up to 10.x knows, and Debian's GSSAPI patch. All else is a spelling mistake.
 * docs/ssh_config.md is this table, row by row. */
#define ROW(name, key, parse, why)                                                \
	{                                                                         \
#name, CONFIG_APPLIED, CONFIG_##key, config_do_##parse, NULL, why \
	}
#define LEFT(name, key, parse, why)                                                  \
	{                                                                            \
#name, CONFIG_BY_OPENSSH, CONFIG_##key, config_do_##parse, NULL, why \
	}
#define SILENT(name, why)                                                         \
	{                                                                         \
#name, CONFIG_SILENT, CONFIG_NO_KEY, config_do_nothing, NULL, why \
	}
#define NAMED(name, harmless, why)                                                   \
	{                                                                            \
#name, CONFIG_NAMED, CONFIG_NO_KEY, config_do_ignored, harmless, why \
	}

static const struct config_keyword config_keywords[] = {
	ROW(Host, NO_KEY, host, "blocks, with patterns and `!`"),
	ROW(Match, NO_KEY, match,
	    "host, originalhost, user, localuser, tagged, exec, all, final, canonical; the others "
	    "are told and never hold"),
	ROW(Include, NO_KEY, include, "with wildcards, 16 deep"),
	ROW(IgnoreUnknown, NO_KEY, ignore_unknown,
	    "keywords that ssh does not know are errors otherwise"),
	ROW(HostName, HOSTNAME, string, "with `%h`"),
	ROW(User, USER, string, "a user in the host expression, or `-l`, outweighs it"),
	ROW(Port, PORT, port, "a port in the host expression outweighs it"),
	ROW(IdentityFile, IDENTITY_FILE, identity,
	    "they add up; relative names are taken from the home directory"),
	ROW(IdentityFile2, IDENTITY_FILE, identity, "as IdentityFile"),
	ROW(CertificateFile, CERTIFICATE_FILE, identity, "they add up"),
	ROW(IdentitiesOnly, IDENTITIES_ONLY, flag,
	    "keys of ssh-agent count only if a file names them"),
	ROW(IdentityAgent, IDENTITY_AGENT, agent, "a path, `none`, `SSH_AUTH_SOCK` or `$VARIABLE`"),
	ROW(UserKnownHostsFile, USER_KNOWN_HOSTS, files, "new keys go to the first one"),
	ROW(GlobalKnownHostsFile, GLOBAL_KNOWN_HOSTS, files, "read only"),
	ROW(StrictHostKeyChecking, STRICT, strict,
	    "`ask` is `yes`, as nobody is there to be asked; `no` and `off` are `accept-new`"),
	ROW(HashKnownHosts, HASH_KNOWN_HOSTS, flag, "names of new keys are hashed"),
	ROW(HostKeyAlias, HOST_KEY_ALIAS, string, "the name in known_hosts"),
	ROW(ConnectTimeout, CONNECT_TIMEOUT, time, "`--connect-timeout` outweighs it"),
	ROW(ConnectionAttempts, ATTEMPTS, count, "`--retries` outweighs it"),
	ROW(ServerAliveInterval, ALIVE_INTERVAL, time,
	    "how long a connection may be silent before it is asked"),
	ROW(ServerAliveCountMax, ALIVE_COUNT, count,
	    "so many intervals of silence, and the connection is lost"),
	ROW(AddressFamily, FAMILY, family, "which addresses of a name are tried"),
	ROW(ProxyJump, PROXY_JUMP, jump, "up to 8 bastions, each looked up here itself; `none`"),
	ROW(ProxyCommand, PROXY_COMMAND, rest,
	    "by the shell, with `%h %k %n %p %r`; a name that carries what a shell reads is "
	    "refused"),
	ROW(KexAlgorithms, KEX, string,
	    "with `+`, `-` and `^`; names that libssh does not know are left out; "
	    "`--kex-algorithms` outweighs it"),
	ROW(Ciphers, CIPHERS, string, "the same; `--ciphers`"),
	ROW(MACs, MACS, string, "the same; `--macs`"),
	ROW(HostKeyAlgorithms, HOST_KEY_ALGS, string,
	    "the same; what known_hosts has comes first where there is no list, or one with `+` or "
	    "`-`"),
	ROW(PubkeyAcceptedAlgorithms, PUBKEY_ALGS, string, "the same"),
	ROW(PubkeyAcceptedKeyTypes, PUBKEY_ALGS, string, "as PubkeyAcceptedAlgorithms"),
	ROW(PreferredAuthentications, PREFERRED, string, "what is not in it is not tried"),
	ROW(PubkeyAuthentication, PUBKEY_AUTH, pubkey, "`unbound` and `host-bound` are `yes`"),
	ROW(DSAAuthentication, PUBKEY_AUTH, flag, "as PubkeyAuthentication"),
	ROW(PasswordAuthentication, PASSWORD_AUTH, flag, "where there is a password"),
	ROW(KbdInteractiveAuthentication, KEYBOARD_AUTH, flag, "where there is a password"),
	ROW(ChallengeResponseAuthentication, KEYBOARD_AUTH, flag,
	    "as KbdInteractiveAuthentication"),
	ROW(SkeyAuthentication, KEYBOARD_AUTH, flag, "as KbdInteractiveAuthentication"),
	ROW(TISAuthentication, KEYBOARD_AUTH, flag, "as KbdInteractiveAuthentication"),
	ROW(NumberOfPasswordPrompts, PROMPTS, count, "how often the same password is tried"),
	ROW(CanonicalizeHostname, CANONICALIZE, canonical,
	    "the files are read a second time for the name that HostName made; domains: "
	    "CanonicalDomains"),
	ROW(Tag, TAG, string, "for `Match tagged`"),
	ROW(RefuseConnection, REFUSE, string, "the host ends with this text"),
	LEFT(BindAddress, BIND_ADDRESS, string,
	     "the daemon does not choose where it connects from"),
	LEFT(BindInterface, BIND_INTERFACE, string, "the same"),
	LEFT(CanonicalDomains, CANONICAL_DOMAINS, words, "where CanonicalizeHostname is set"),
	LEFT(GSSAPIAuthentication, GSSAPI_AUTH, flag,
	     "where no other method is left; libssh is not asked for it"),
	LEFT(HostbasedAuthentication, HOSTBASED_AUTH, flag, "where no other method is left"),
	LEFT(KnownHostsCommand, KNOWN_HOSTS_COMMAND, rest, "the daemon judges by files"),
	LEFT(PKCS11Provider, PKCS11, string, "the daemon loads no token library"),
	LEFT(SmartcardDevice, PKCS11, string, "as PKCS11Provider"),
	LEFT(ProxyUseFdpass, PROXY_FDPASS, flag, "with a ProxyCommand"),
	LEFT(RevokedHostKeys, REVOKED_HOST_KEYS, string, "key revocation lists are not read"),
	NAMED(ForwardAgent, "no,false", "jobs are given no way to your keys"),
	NAMED(ForwardX11, "no,false", "jobs have no display"),
	NAMED(NoHostAuthenticationForLocalhost, "no,false", "localhost is judged like any host"),
	NAMED(RemoteCommand, "none", "the job has the command"),
	NAMED(RequiredRSASize, NULL, "libssh has a limit of its own"),
	NAMED(SetEnv, NULL, "`--env` sets variables"),
	NAMED(UpdateHostKeys, "no,false,ask", "known_hosts gets no further keys of a known host"),
	NAMED(VerifyHostKeyDNS, "no,false", "SSHFP records are not asked for"),
	SILENT(AddKeysToAgent, "keys are not given to ssh-agent"),
	SILENT(AFSTokenPassing, "gone from ssh"),
	SILENT(BatchMode, "nobody is asked anything in any case"),
	SILENT(CanonicalizeFallbackLocal, "with CanonicalDomains"),
	SILENT(CanonicalizeMaxDots, "with CanonicalDomains"),
	SILENT(CanonicalizePermittedCNAMEs, "with CanonicalDomains"),
	SILENT(CASignatureAlgorithms, "host certificates are left to the OpenSSH client"),
	SILENT(ChannelTimeout, "jobs have time limits of their own"),
	SILENT(CheckHostIP, "keys are judged by name"),
	SILENT(Cipher, "gone from ssh"),
	SILENT(ClearAllForwardings, "nothing is forwarded"),
	SILENT(Compression, "the agent's records are small"),
	SILENT(CompressionLevel, "gone from ssh"),
	SILENT(ControlMaster, "connections are kept and shared by the daemon"),
	SILENT(ControlPath, "as ControlMaster"),
	SILENT(ControlPersist, "as ControlMaster"),
	SILENT(DynamicForward, "nothing is forwarded"),
	SILENT(EnableEscapeCommandline, "for terminals"),
	SILENT(EnableSSHKeysign, "for host-based authentication"),
	SILENT(EscapeChar, "for terminals"),
	SILENT(ExitOnForwardFailure, "nothing is forwarded"),
	SILENT(FallBackToRsh, "gone from ssh"),
	SILENT(FingerprintHash, "for people who are asked"),
	SILENT(ForkAfterAuthentication, "for terminals"),
	SILENT(ForwardX11Timeout, "as ForwardX11"),
	SILENT(ForwardX11Trusted, "as ForwardX11"),
	SILENT(GatewayPorts, "nothing is forwarded"),
	SILENT(GlobalKnownHostsFile2, "gone from ssh"),
	SILENT(GSSAPIClientIdentity, "left to the OpenSSH client"),
	SILENT(GSSAPIDelegateCredentials, "left to the OpenSSH client"),
	SILENT(GSSAPIKexAlgorithms, "left to the OpenSSH client"),
	SILENT(GSSAPIKeyExchange, "left to the OpenSSH client"),
	SILENT(GSSAPIRenewalForcesRekey, "left to the OpenSSH client"),
	SILENT(GSSAPIServerIdentity, "left to the OpenSSH client"),
	SILENT(GSSAPITrustDns, "left to the OpenSSH client"),
	SILENT(HostbasedAcceptedAlgorithms, "left to the OpenSSH client"),
	SILENT(HostbasedKeyTypes, "left to the OpenSSH client"),
	SILENT(IPQoS, "the defaults of the system"),
	SILENT(KbdInteractiveDevices, "servers choose"),
	SILENT(KeepAlive, "as TCPKeepAlive"),
	SILENT(KerberosAuthentication, "gone from ssh"),
	SILENT(KerberosTGTPassing, "gone from ssh"),
	SILENT(LocalCommand, "nothing is run here"),
	SILENT(LocalForward, "nothing is forwarded"),
	SILENT(LogLevel, "the daemon has a log of its own"),
	SILENT(LogVerbose, "the daemon has a log of its own"),
	SILENT(ObscureKeystrokeTiming, "for terminals"),
	SILENT(PermitLocalCommand, "nothing is run here"),
	SILENT(PermitRemoteOpen, "nothing is forwarded"),
	SILENT(Protocol, "gone from ssh"),
	SILENT(ProtocolKeepAlives, "older than ServerAliveInterval"),
	SILENT(RekeyLimit, "libssh has limits of its own"),
	SILENT(RemoteForward, "nothing is forwarded"),
	SILENT(RequestTTY, "`--pty` asks for a terminal"),
	SILENT(RhostsAuthentication, "gone from ssh"),
	SILENT(RhostsRSAAuthentication, "gone from ssh"),
	SILENT(RSAAuthentication, "gone from ssh"),
	SILENT(SecurityKeyProvider, "for ssh-agent, and the OpenSSH client"),
	SILENT(SendEnv, "`--env` sets variables; it stands in the file of every Debian"),
	SILENT(SessionType, "the job has the command"),
	SILENT(SetupTimeOut, "older than ServerAliveInterval"),
	SILENT(StdinNull, "`--stdin` gives input"),
	SILENT(StreamLocalBindMask, "nothing is forwarded"),
	SILENT(StreamLocalBindUnlink, "nothing is forwarded"),
	SILENT(SyslogFacility, "the daemon has a log of its own"),
	SILENT(TCPKeepAlive, "always"),
	SILENT(Tunnel, "nothing is forwarded"),
	SILENT(TunnelDevice, "nothing is forwarded"),
	SILENT(UseBlacklistedKeys, "gone from ssh"),
	SILENT(UsePrivilegedPort, "gone from ssh"),
	SILENT(UserKnownHostsFile2, "gone from ssh"),
	SILENT(UseRoaming, "gone from ssh"),
	SILENT(UseRsh, "gone from ssh"),
	SILENT(VersionAddendum, "libssh names itself"),
	SILENT(VisualHostKey, "for people who are asked"),
	SILENT(WarnWeakCrypto, "for people who are asked"),
	SILENT(XAuthLocation, "as ForwardX11"),
};

_Static_assert(ARRAY_LEN(config_keywords) <= CONFIG_IGNORED_MATCH, "a slot for each row");

const struct config_keyword *config_keyword_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(config_keywords); i++) {
		if (strcasecmp(config_keywords[i].name, name) == 0)
			return &config_keywords[i];
	}
	return NULL;
}

size_t config_keyword_index(const struct config_keyword *k)
{
	return (size_t)(k - config_keywords);
}

const struct config_keyword *config_keyword_at(size_t index)
{
	return index < ARRAY_LEN(config_keywords) ? &config_keywords[index] : NULL;
}
