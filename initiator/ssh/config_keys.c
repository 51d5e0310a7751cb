#include <strings.h>

#include "alloc.h"
#include "config_private.h"

/* What OpenSSH up to 10.x knows, and Debian's GSSAPI patch. All else is a spelling mistake. */
#define ROW(name, key, parse)                                \
	{                                                    \
#name, CONFIG_##key, config_do_##parse, NULL \
	}
#define SILENT(name)                                          \
	{                                                     \
#name, CONFIG_NO_KEY, config_do_nothing, NULL \
	}
#define IGNORED(name)                                         \
	{                                                     \
#name, CONFIG_NO_KEY, config_do_ignored, NULL \
	}
#define IGNORED_BUT(name, harmless)                               \
	{                                                         \
#name, CONFIG_NO_KEY, config_do_ignored, harmless \
	}

static const struct config_keyword config_keywords[] = {
	ROW(Host, NO_KEY, host),
	ROW(Match, NO_KEY, match),
	ROW(Include, NO_KEY, include),
	ROW(IgnoreUnknown, NO_KEY, ignore_unknown),
	ROW(HostName, HOSTNAME, string),
	ROW(User, USER, string),
	ROW(Port, PORT, port),
	ROW(IdentityFile, IDENTITY_FILE, identity),
	ROW(IdentityFile2, IDENTITY_FILE, identity),
	ROW(IdentitiesOnly, IDENTITIES_ONLY, flag),
	ROW(IdentityAgent, IDENTITY_AGENT, agent),
	ROW(UserKnownHostsFile, USER_KNOWN_HOSTS, files),
	ROW(GlobalKnownHostsFile, GLOBAL_KNOWN_HOSTS, files),
	ROW(StrictHostKeyChecking, STRICT, strict),
	ROW(HostKeyAlias, HOST_KEY_ALIAS, string),
	ROW(ConnectTimeout, CONNECT_TIMEOUT, time),
	ROW(ProxyJump, PROXY_JUMP, rest),
	ROW(ProxyCommand, PROXY_COMMAND, rest),

	/* Where or how a connection is made, and not done here. */
	IGNORED_BUT(AddressFamily, "any"),
	IGNORED(BindAddress),
	IGNORED(BindInterface),
	IGNORED(CanonicalDomains),
	IGNORED_BUT(CanonicalizeHostname, "no"),
	IGNORED_BUT(CertificateFile, "none"),
	IGNORED(Ciphers),
	IGNORED_BUT(HostbasedAuthentication, "no"),
	IGNORED(HostKeyAlgorithms),
	IGNORED(KexAlgorithms),
	IGNORED_BUT(KnownHostsCommand, "none"),
	IGNORED(MACs),
	IGNORED_BUT(NoHostAuthenticationForLocalhost, "no"),
	IGNORED_BUT(PKCS11Provider, "none"),
	IGNORED_BUT(SmartcardDevice, "none"),
	IGNORED_BUT(PreferredAuthentications, "publickey"),
	IGNORED_BUT(ProxyUseFdpass, "no"),
	IGNORED(PubkeyAcceptedAlgorithms),
	IGNORED(PubkeyAcceptedKeyTypes),
	IGNORED_BUT(PubkeyAuthentication, "yes"),
	IGNORED_BUT(DSAAuthentication, "yes"),
	IGNORED(RefuseConnection),
	IGNORED(RequiredRSASize),
	IGNORED_BUT(RevokedHostKeys, "none"),
	IGNORED(SecurityKeyProvider),
	IGNORED_BUT(VerifyHostKeyDNS, "no"),

	/* Everything else that ssh knows, also what it has given up. */
	SILENT(AddKeysToAgent),
	SILENT(AFSTokenPassing),
	SILENT(BatchMode),
	SILENT(CanonicalizeFallbackLocal),
	SILENT(CanonicalizeMaxDots),
	SILENT(CanonicalizePermittedCNAMEs),
	SILENT(CASignatureAlgorithms),
	SILENT(ChallengeResponseAuthentication),
	SILENT(ChannelTimeout),
	SILENT(CheckHostIP),
	SILENT(Cipher),
	SILENT(ClearAllForwardings),
	SILENT(Compression),
	SILENT(CompressionLevel),
	SILENT(ConnectionAttempts),
	SILENT(ControlMaster),
	SILENT(ControlPath),
	SILENT(ControlPersist),
	SILENT(DynamicForward),
	SILENT(EnableEscapeCommandline),
	SILENT(EnableSSHKeysign),
	SILENT(EscapeChar),
	SILENT(ExitOnForwardFailure),
	SILENT(FallBackToRsh),
	SILENT(FingerprintHash),
	SILENT(ForkAfterAuthentication),
	SILENT(ForwardAgent),
	SILENT(ForwardX11),
	SILENT(ForwardX11Timeout),
	SILENT(ForwardX11Trusted),
	SILENT(GatewayPorts),
	SILENT(GlobalKnownHostsFile2),
	SILENT(GSSAPIAuthentication),
	SILENT(GSSAPIClientIdentity),
	SILENT(GSSAPIDelegateCredentials),
	SILENT(GSSAPIKexAlgorithms),
	SILENT(GSSAPIKeyExchange),
	SILENT(GSSAPIRenewalForcesRekey),
	SILENT(GSSAPIServerIdentity),
	SILENT(GSSAPITrustDns),
	SILENT(HashKnownHosts),
	SILENT(HostbasedAcceptedAlgorithms),
	SILENT(HostbasedKeyTypes),
	SILENT(IPQoS),
	SILENT(KbdInteractiveAuthentication),
	SILENT(KbdInteractiveDevices),
	SILENT(KeepAlive),
	SILENT(KerberosAuthentication),
	SILENT(KerberosTGTPassing),
	SILENT(LocalCommand),
	SILENT(LocalForward),
	SILENT(LogLevel),
	SILENT(LogVerbose),
	SILENT(NumberOfPasswordPrompts),
	SILENT(ObscureKeystrokeTiming),
	SILENT(PasswordAuthentication),
	SILENT(PermitLocalCommand),
	SILENT(PermitRemoteOpen),
	SILENT(Protocol),
	SILENT(ProtocolKeepAlives),
	SILENT(RekeyLimit),
	SILENT(RemoteCommand),
	SILENT(RemoteForward),
	SILENT(RequestTTY),
	SILENT(RhostsAuthentication),
	SILENT(RhostsRSAAuthentication),
	SILENT(RSAAuthentication),
	SILENT(SendEnv),
	SILENT(ServerAliveCountMax),
	SILENT(ServerAliveInterval),
	SILENT(SessionType),
	SILENT(SetEnv),
	SILENT(SetupTimeOut),
	SILENT(SkeyAuthentication),
	SILENT(StdinNull),
	SILENT(StreamLocalBindMask),
	SILENT(StreamLocalBindUnlink),
	SILENT(SyslogFacility),
	SILENT(Tag),
	SILENT(TCPKeepAlive),
	SILENT(TISAuthentication),
	SILENT(Tunnel),
	SILENT(TunnelDevice),
	SILENT(UpdateHostKeys),
	SILENT(UseBlacklistedKeys),
	SILENT(UsePrivilegedPort),
	SILENT(UserKnownHostsFile2),
	SILENT(UseRoaming),
	SILENT(UseRsh),
	SILENT(VersionAddendum),
	SILENT(VisualHostKey),
	SILENT(WarnWeakCrypto),
	SILENT(XAuthLocation),
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
