package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The paths of requests, see the package comment. Below PathServerGroups are GroupPath and PerformPath, below
// PathSetAside is RecordPath.
const (
	PathSessions     = "/v1/sessions"
	PathDisconnect   = "/v1/sessions/disconnect"
	PathStatus       = "/v1/status"
	PathServerGroups = "/v1/server-groups"
	PathOnOffGroups  = "/v1/acct-on-off-groups"
	PathSpool        = "/v1/spool"
	PathSetAside     = "/v1/spool/set-aside"
	PathReplay       = "/v1/spool/replay"
	PathDrop         = "/v1/spool/drop"
	PathReroute      = "/v1/spool/reroute"
	PathForgetDamage = "/v1/spool/forget-damage"
)

// The limits of the daemon.
const (
	MaxBody     = 1 << 20   // octets of a request's body, else 413
	MaxRequests = 64        // at once, else 503
	MaxWait     = time.Hour // of a disconnect for its sessions
	PageSize    = 100       // items of a part of a list, when the request doesn't say
	MaxPage     = 1000      // items of a part of a list at most
	MaxSeqs     = 10000     // of a RecordsRequest
)

// GroupPath is the path of a server group.
func GroupPath(name string) string {
	if name == "." || name == ".." { // a path with these would be cleaned
		return PathServerGroups + "/" + strings.ReplaceAll(name, ".", "%2E")
	}
	return PathServerGroups + "/" + url.PathEscape(name)
}

// PerformPath is the path of what a PerformRequest has sent.
func PerformPath(req PerformRequest) string { return GroupPath(req.Group) + "/" + string(req.Action) }

// RecordPath is the path of a record that is set aside.
func RecordPath(seq uint64) string { return PathSetAside + "/" + strconv.FormatUint(seq, 10) }
