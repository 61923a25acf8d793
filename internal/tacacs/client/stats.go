package client

import "aaasess/internal/servers"

// Stats are the statistics of a group's servers. They cover all groups that have the server, from
// when the first one had it.
type Stats struct {
	Servers []ServerStats // in the order of GroupConfig.Members
}

// ServerStats are the statistics of one server. Of the fields of [servers.Stats], BadAuthenticators
// counts answers whose lengths do not add up or that are not obfuscated (a wrong key), UnknownTypes
// those of another type than accounting, and PacketsDropped those of an unknown session. SendErrors
// counts connections that failed: they could not be opened, or the server closed them although
// requests were in flight and it had answered none. Addr is that of the last connection; zero means
// that there was none to a server whose Host is a name.
type ServerStats struct {
	servers.Stats
	// Errors counts answers with status ERROR, Follows those with status FOLLOW. Their requests count
	// in Failures.
	Errors, Follows uint64
	// Connections is the number of open connections, Opened how many were opened in total.
	Connections int
	Opened      uint64
	// SingleConnection reports whether the last server's answer that could agree to single
	// connection mode did so, and the server keeps it.
	SingleConnection bool
}
