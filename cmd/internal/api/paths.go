package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The paths of requests; see the package comment. SessionPath returns paths below
// PathSessions, GroupPath, PerformPath and ResyncPath return paths below
// PathServerGroups, and RecordPath paths below PathSetAside.
const (
	PathSessions     = "/v1/sessions"
	PathDisconnect   = "/v1/sessions/disconnect"
	PathClear        = "/v1/sessions/clear"
	PathStatus       = "/v1/status"
	PathServerGroups = "/v1/server-groups"
	PathOnOffGroups  = "/v1/acct-on-off-groups"
	PathSpool        = "/v1/spool"
	PathSetAside     = "/v1/spool/set-aside"
	PathReplay       = "/v1/spool/replay"
	PathDrop         = "/v1/spool/drop"
	PathReroute      = "/v1/spool/reroute"
	PathForgetDamage = "/v1/spool/forget-damage"
	PathExplain      = "/v1/explain"
	PathAccounting   = "/v1/accounting"
	PathEvents       = "/v1/accounting/events"
	PathSimulate     = "/v1/accounting/simulate"
	PathLogins       = "/v1/logins"
	PathManaged      = "/v1/managed-servers"

	PathRunningConfig = "/v1/running-config"
	PathDebug         = "/v1/debug"

	PathTestNotification = "/v1/notifications/test"
)

// The limits of the daemon.
const (
	MaxBody     = 1 << 20 // octets of a request body, else 413
	MaxRequests = 64      // requests at the same time, else 503
	// MaxConnections is the limit of open connections. Beyond it, those that are idle longest are
	// closed.
	MaxConnections = 128
	MaxWait        = time.Hour // longest Wait of a DisconnectRequest
	PageSize       = 100       // default number of items in a part of a list
	MaxPage        = 1000      // largest number of items in a part of a list
	MaxSeqs        = 10000     // record numbers in a RecordsRequest
	MaxListeners   = 16        // requests for PathEvents at the same time, else 503
)

// SessionPath returns the path of a session.
func SessionPath(id ID) string { return PathSessions + "/" + id.String() }

// GroupPath returns the path of a server group.
func GroupPath(name string) string {
	if name == "." || name == ".." { // HTTP clients and servers would clean the path
		return PathServerGroups + "/" + strings.ReplaceAll(name, ".", "%2E")
	}
	return PathServerGroups + "/" + url.PathEscape(name)
}

// PerformPath returns the path of a PerformRequest.
func PerformPath(req PerformRequest) string { return GroupPath(req.Group) + "/" + string(req.Action) }

// ResyncPath returns the path of the Resync of a server group.
func ResyncPath(group string) string { return GroupPath(group) + "/resync" }

// RecordPath returns the path of a set-aside record.
func RecordPath(seq uint64) string { return PathSetAside + "/" + strconv.FormatUint(seq, 10) }
