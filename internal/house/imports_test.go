package house

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule is what a package may import besides the standard library, and the reason. A package without
// a rule fails.
type rule struct {
	pkg   string // import path below the module; "x/..." for all below x
	allow []string
	why   string
}

var rules = []rule{
	{"mib", nil, "a tree of objects, for any protocol and any MIB"},
	{"mibs", nil, "MIB modules and their parser"},
	{"mib/casn", []string{"aaasess/mib", "aaasess/sessions", "aaasess/sessions/termination"}, "the only package that knows both objects and sessions"},
	{"mib/radiusclient", []string{"aaasess/mib", "aaasess/internal/servers", "aaasess/sessions/radius/dae"}, "objects about servers and NASes; it knows neither the clients nor the configuration"},
	{"mib/cas", []string{"aaasess/mib", "aaasess/internal/servers"}, "objects about servers, which it sees as the words of internal/servers; it knows neither clients nor the configuration"},
	{"mib/aaasess", []string{"aaasess/mib", "aaasess/mibs"}, "objects and notifications of our own module; conditions decides about the states that it shows"},
	{"sessions", []string{"aaasess/internal/cursor", "aaasess/internal/iosmask", "aaasess/internal/radius", "aaasess/sessions/silence"}, "the table uses neither network nor disk; it keeps attributes as RADIUS octets"},
	{"sessions/admission", []string{"aaasess/sessions", "aaasess/internal/radius"}, "what authentication says of users; it knows neither servers nor sockets"},
	{"sessions/silence", nil, "arithmetic of times; it knows no sessions"},
	{"sessions/stale", []string{"aaasess/sessions", "aaasess/sessions/silence", "aaasess/internal/radius"}, "it only ends sessions; it knows no configuration"},
	{"sessions/interim", []string{"aaasess/sessions"}, "it only makes records; it knows neither lists nor attributes"},
	{"sessions/local/report", nil, "the messages of the local socket are for both ends, and hooks must start fast"},
	{"sessions/termination", []string{"aaasess/sessions", "aaasess/internal/radius", "aaasess/internal/timeheap"}, "it decides when a NAS is asked to end a session; how it is asked is behind an interface"},
	{"sessions/sessionstest", []string{"aaasess/sessions"}, "a journal for tests"},
	{"sessions/radius", []string{"aaasess/sessions", "aaasess/internal/histogram", "aaasess/internal/prefixtable", "aaasess/internal/radius", "aaasess/internal/throttle", "aaasess/internal/udpbatch", "aaasess/internal/udpsocket", "layeh.com/radius/rfc2865", "golang.org/x/sys"}, "requests of NASes; it does not know where they go"},
	{"sessions/local/link", []string{"aaasess/sessions", "aaasess/internal/throttle", "github.com/mdlayher/netlink", "golang.org/x/sys"}, "it reads the kernel's interfaces for the table; it knows no reports"},
	{"sessions/radius/dae", []string{"aaasess/sessions", "aaasess/sessions/radius", "aaasess/sessions/termination", "aaasess/internal/radius", "aaasess/internal/throttle", "aaasess/internal/udpsocket", "golang.org/x/sys"}, "requests to NASes; termination decides when"},
	{"sessions/radius/dynauth", []string{"aaasess/internal/radius", "aaasess/internal/throttle", "aaasess/sessions", "aaasess/sessions/radius", "aaasess/sessions/radius/dae", "aaasess/sessions/termination"}, "requests of servers to NASes; it knows neither sockets nor who accounts a session"},
	{"sessions/radius/relay", []string{"aaasess/internal/radius", "aaasess/internal/radius/client", "aaasess/internal/retry", "aaasess/internal/throttle", "aaasess/sessions/admission", "aaasess/sessions/radius"}, "it forwards requests of NASes to servers; it knows neither sockets nor the table"},
	{"sessions/local/feed", nil, "it remembers events of any kind"},
	{"sessions/local/ending", []string{"aaasess/internal/radius", "aaasess/sessions", "aaasess/sessions/termination", "golang.org/x/sys"}, "it ends sessions by signals, commands and programs; termination decides when, and it knows no socket of ours"},
	{"sessions/radius/radiustest", []string{"layeh.com/radius"}, "a NAS for tests"},
	{"sessions/local", []string{"aaasess/internal/radius", "aaasess/internal/throttle", "aaasess/internal/unixsocket", "aaasess/sessions", "aaasess/sessions/local/ending", "aaasess/sessions/local/feed", "aaasess/sessions/local/link", "aaasess/sessions/local/report", "github.com/go-json-experiment/json"}, "reports of programs on this host; it does not know where they go"},
	{"agent/agentx", []string{"aaasess/mib", "aaasess/internal/histogram", "aaasess/internal/throttle", "github.com/posteo/go-agentx", "golang.org/x/sys"}, "it serves any tree of objects"},
	{"agent/agentx/agentxtest", []string{"aaasess/agent/agentx", "aaasess/mib", "github.com/posteo/go-agentx"}, "a master for tests"},
	{"agent/snmp", []string{"aaasess/mib", "aaasess/agent/snmp/", "aaasess/internal/histogram", "aaasess/internal/throttle", "golang.org/x/"}, "it serves any tree of objects"},
	{"agent/snmp/wire", []string{"aaasess/mib"}, "encoding and decoding only"},
	{"agent/snmp/usm", []string{"aaasess/mib", "aaasess/agent/snmp/wire", "aaasess/internal/atomicfile"}, "it authenticates messages; access control is in vacm"},
	{"agent/snmp/vacm", []string{"aaasess/mib", "aaasess/agent/snmp/wire"}, "access control; authentication is in usm"},
	{"agent/snmp/limit", nil, "rate limits by address, without a socket"},
	{"agent/snmp/snmpmib", []string{"aaasess/mib", "aaasess/agent/snmp/notify", "aaasess/agent/snmp/usm", "aaasess/agent/snmp/vacm", "aaasess/agent/snmp/wire", "aaasess/internal/atomicfile", "aaasess/internal/throttle"}, "objects about the engine; it has no socket. Of notify it knows the targets, and of wire the numbers of versions and levels, only"},
	{"agent/snmp/notify", []string{"aaasess/mib", "aaasess/agent/snmp/wire", "aaasess/agent/snmp/usm", "aaasess/internal/throttle"}, "it talks to receivers; the responder talks to managers"},
	{"store", []string{"github.com/cockroachdb/pebble/v2", "aaasess/internal/shortage", "aaasess/internal/throttle", "golang.org/x/sys"}, "it knows no types of other packages, so that its engine can be replaced"},
	{"accounting", []string{"aaasess/accounting/tap", "aaasess/sessions", "aaasess/store", "aaasess/internal/cursor", "aaasess/internal/radius", "aaasess/internal/retry", "aaasess/internal/throttle"}, "policy and records; delivery and transports depend on it, not it on them"},
	{"accounting/tap", []string{"aaasess/internal/taps", "aaasess/sessions"}, "it passes events to readers; it decides nothing and knows no reader"},
	{"accounting/policy", []string{"aaasess/accounting", "aaasess/internal/prefixtable", "aaasess/internal/radius", "aaasess/sessions"}, "it decides by the configuration and a session; it has no store and no transport"},
	{"accounting/delivery", []string{"aaasess/accounting", "aaasess/internal/histogram", "aaasess/sessions", "aaasess/store", "aaasess/internal/retry", "aaasess/internal/throttle", "aaasess/internal/timeheap"}, "it decides which record goes to which method, and when; it knows no transport"},
	{"accounting/onoff", []string{"aaasess/accounting", "aaasess/sessions", "aaasess/internal/radius", "layeh.com/radius/rfc2866"}, "it tells servers that the daemon starts and stops; it stores nothing and knows no transport"},
	{"accounting/resync", []string{"aaasess/accounting", "aaasess/sessions", "aaasess/internal/cursor"}, "it tells servers of live sessions again; the table decides and the router makes the records"},
	{"accounting/radius", []string{"aaasess/accounting", "aaasess/internal/radius", "aaasess/internal/radius/client", "aaasess/internal/retry", "aaasess/internal/servers"}, "a transport; transports do not know each other"},
	{"accounting/tacacs", []string{"aaasess/accounting", "aaasess/sessions", "aaasess/internal/radius", "aaasess/internal/retry", "aaasess/internal/servers", "aaasess/internal/tacacs", "aaasess/internal/tacacs/client"}, "a transport; transports do not know each other"},
	{"accounting/methods", []string{"aaasess/accounting", "aaasess/internal/histogram", "aaasess/accounting/delivery", "aaasess/accounting/onoff", "aaasess/sessions", "aaasess/store"}, "it runs methods by their Specs: a new transport does not change it"},
	{"accounting/radius/outagetest", nil, "tests only: all parts of delivery together"},
	{"accounting/local", []string{"aaasess/accounting", "aaasess/internal/folder", "aaasess/internal/radius", "aaasess/internal/retry"}, "a transport; transports do not know each other"},
	{"internal/radius", []string{"layeh.com/radius"}, "the wire: it knows neither sessions nor accounting"},
	{"internal/radius/attrtest", []string{"aaasess/internal/radius"}, "attributes for tests"},
	{"internal/radius/captured", nil, "packets for tests"},
	{"internal/radius/client", []string{"aaasess/internal/radius", "aaasess/internal/retry", "aaasess/internal/servers", "aaasess/internal/throttle", "aaasess/internal/timeheap", "aaasess/internal/udpbatch"}, "servers for any kind of request: accounting, later authentication"},
	{"internal/radius/radiusnet", []string{"aaasess/internal/radius", "aaasess/internal/radius/client", "aaasess/internal/retry"}, "a network of servers for tests"},
	{"internal/tacacs", nil, "the wire: it knows neither sessions nor accounting, and no connection"},
	{"internal/tacacs/tacacstest", []string{"aaasess/internal/tacacs"}, "a server for tests"},
	{"internal/iosmask", nil, "it masks words of a text; it knows neither sessions nor records"},
	{"internal/unixsocket", []string{"aaasess/internal/folder", "aaasess/internal/shortage", "aaasess/internal/throttle", "golang.org/x/sys"}, "it opens sockets and tells who is at the other end; it knows no protocol"},
	{"internal/atomicfile", []string{"aaasess/internal/folder"}, "it replaces small files as a whole; the caller knows their content"},
	{"internal/folder", nil, "it makes folders; the caller knows what for"},
	{"internal/shortage", nil, "it recognizes errors of the system"},
	{"internal/tacacs/client", []string{"aaasess/internal/retry", "aaasess/internal/servers", "aaasess/internal/tacacs", "aaasess/internal/throttle", "aaasess/internal/timeheap"}, "servers for accounting requests; it does not know records"},
	{"internal/servers", nil, "it decides which server is dead and which is next, and has what was counted of it, for all transports; it knows no packets"},
	{"internal/histogram", nil, "it counts durations on the path of packets; it knows neither what they are nor who reads them"},
	{"internal/retry", nil, "retry schedules, for all transports"},
	{"internal/taps", nil, "it passes values of any kind to readers; it decides nothing and knows no reader"},
	{"internal/throttle", nil, "it decides which log lines are written; it has no log and no clock"},
	{"internal/logtap", []string{"aaasess/internal/taps", "aaasess/internal/throttle"}, "it passes lines of the log to readers; it does not know what they are about"},
	{"internal/timeheap", nil, "a heap ordered by time; it has no clock and does not know its elements"},
	{"internal/udpbatch", []string{"aaasess/internal/udpsocket", "golang.org/x/sys"}, "datagrams of any protocol"},
	{"internal/udpsocket", []string{"golang.org/x/sys"}, "options of a socket; it reads and writes nothing"},
	{"internal/prefixtable", nil, "it finds prefixes of addresses; it does not know whose they are"},
	{"internal/cursor", nil, "it reads fields from octets; the caller knows which"},
	{"internal/goldentest", []string{"github.com/google/go-cmp"}, "it compares with a file; the caller knows what of"},
	{"internal/logtest", nil, "a log that tests read"},
	{"internal/freeport", nil, "it finds free ports, for tests and measurements"},
	{"internal/partner", []string{"aaasess/internal/freeport", "github.com/nwaples/tacplus"}, "it starts foreign programs for tests, and does not know ours"},
	{"internal/browser", []string{"aaasess/internal/partner", "github.com/chromedp/"}, "it drives a browser for tests; it does not know the pages"},
	{"internal/house", nil, "tests only"},
	{"cmd/internal/strictyaml", []string{"github.com/goccy/go-yaml"}, "it decodes files by struct tags, whatever they configure"},
	{"cmd/internal/api", nil, "the messages of the control socket are for both ends, so they must not link the daemon"},
	{"cmd/internal/rates", []string{"aaasess/cmd/internal/api"}, "arithmetic on what the control socket tells of sessions"},
	{"cmd/internal/manpage", []string{"github.com/spf13/"}, "it formats any command and help text; it does not know ours"},
	{"cmd/internal/human", nil, "it writes texts for people; it does not know where they are shown"},
	{"cmd/internal/version", nil, "any program may tell its version"},
	{"cmd/internal/apiclient", []string{"aaasess/cmd/internal/api"}, "a client of the daemon must not link its table, store or accounting"},
	{"cmd/internal/localclient", []string{"aaasess/sessions/local/report"}, "a hook starts a process for each event: its client links the messages only"},
	{"cmd/internal/control", []string{"aaasess/accounting/tap", "aaasess/cmd/internal/api", "aaasess/sessions", "aaasess/sessions/admission", "aaasess/sessions/termination", "aaasess/internal/logtap", "aaasess/internal/radius", "aaasess/internal/taps", "aaasess/internal/unixsocket"}, "the server of the control socket reads the table, the logins and accountable events; it uses accounting through an interface"},
	{"cmd/internal/control/controltest", []string{"aaasess/cmd/internal/api", "aaasess/cmd/internal/control", "aaasess/internal/radius", "aaasess/sessions", "aaasess/sessions/sessionstest", "aaasess/sessions/termination"}, "a daemon for tests"},
	{"cmd/internal/nas", []string{"aaasess/internal/radius", "layeh.com/radius"}, "a NAS is the other end of the protocol: it does not know the daemon"},
	{"cmd/internal/snmpmanager", []string{"github.com/gosnmp/gosnmp"}, "it asks any agent; it knows neither the daemon nor the command line"},
	{"cmd/internal/snmpmanager/managertest", []string{"github.com/gosnmp/gosnmp"}, "an agent for tests"},
	{"cmd/aaasess", []string{"aaasess/cmd/aaasess/internal/", "aaasess/cmd/internal/api", "aaasess/cmd/internal/version", "github.com/spf13/"}, "it puts the commands together; each is in a package below it"},
	{"cmd/aaasess/internal/term", []string{"aaasess/cmd/internal/human"}, "text for a terminal; it knows neither commands nor the daemon"},
	{"cmd/aaasess/internal/cli", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/internal/api", "aaasess/cmd/internal/apiclient", "aaasess/cmd/internal/localclient", "aaasess/sessions/local/report", "github.com/spf13/", "golang.org/x/sys"}, "what commands share; it knows none of them. The command line is a client of the daemon: it must not link sessions, accounting or the server"},
	{"cmd/aaasess/internal/live", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/internal/api", "aaasess/cmd/internal/apiclient", "github.com/spf13/cobra"}, "commands about live sessions"},
	{"cmd/aaasess/internal/records", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/aaasess/internal/live", "aaasess/cmd/internal/api", "aaasess/cmd/internal/apiclient", "github.com/spf13/cobra"}, "commands about accounting records; it shows a user as package live does"},
	{"cmd/aaasess/internal/groups", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/internal/api", "aaasess/cmd/internal/apiclient", "github.com/spf13/cobra"}, "commands about server groups"},
	{"cmd/aaasess/internal/show", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/aaasess/internal/groups", "aaasess/cmd/internal/api", "github.com/spf13/cobra"}, "commands about the daemon; what managers changed is shown as package groups does"},
	{"cmd/aaasess/internal/follow", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/aaasess/internal/show", "aaasess/cmd/internal/api", "github.com/spf13/cobra"}, "commands that follow the daemon; shells suggest clients as for package show"},
	{"cmd/aaasess/internal/reporting", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/internal/api", "aaasess/cmd/internal/localclient", "aaasess/cmd/internal/nas", "aaasess/sessions/local/report", "github.com/spf13/"}, "commands that report sessions; the NAS they play does not know the daemon"},
	{"cmd/aaasess/internal/agents", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/internal/api", "aaasess/cmd/internal/snmpmanager", "github.com/spf13/"}, "commands about other agents, by SNMP; they do not use the daemon, but print and mark sessions as its commands do"},
	{"cmd/aaasess/internal/top", []string{"aaasess/cmd/internal/human", "aaasess/cmd/aaasess/internal/cli", "aaasess/cmd/aaasess/internal/term", "aaasess/cmd/aaasess/internal/live", "aaasess/cmd/internal/api", "aaasess/cmd/internal/apiclient", "aaasess/cmd/internal/rates", "github.com/spf13/cobra", "charm.land/bubbletea/v2", "github.com/charmbracelet/x/ansi", "golang.org/x/sys"}, "the live table; a library draws it"},
	{"cmd/aaasessd/internal/authgroups", []string{"aaasess/internal/radius/client"}, "it runs server groups over reloads; the daemon says which, and who uses them"},
	{"cmd/aaasessd/internal/serverstats", []string{"aaasess/internal/atomicfile", "aaasess/internal/servers"}, "it keeps and shows the statistics of servers; it does not know who counts"},
	{"cmd/aaasessd/internal/statechange", []string{"aaasess/internal/servers", "aaasess/mib", "aaasess/mib/cas"}, "it decides which changes, of servers or anything else, managers are told; it knows neither clients nor agents"},
	{"cmd/aaasessd/internal/conditions", []string{"aaasess/cmd/aaasessd/internal/statechange", "aaasess/internal/atomicfile", "aaasess/mib/aaasess", "aaasess/store", "golang.org/x/sync"}, "it decides what is bad by samples of the daemon, and tells managers; of the store it knows the words for space only"},
	{"cmd/aaasessd/internal/overlay", []string{"aaasess/accounting/radius", "aaasess/accounting/tacacs", "aaasess/cmd/aaasessd/internal/config", "aaasess/internal/atomicfile", "aaasess/internal/radius", "aaasess/internal/radius/client", "aaasess/internal/servers", "aaasess/internal/tacacs", "aaasess/internal/tacacs/client"}, "it puts changes that managers made on top of a configuration; it opens no server, and does not know SNMP"},
	{"cmd/aaasessd/internal/acctcontrol", []string{"aaasess/accounting", "aaasess/accounting/", "aaasess/cmd/aaasessd/internal/authgroups", "aaasess/cmd/aaasessd/internal/overlay", "aaasess/cmd/internal/api", "aaasess/cmd/internal/control", "aaasess/internal/radius", "aaasess/internal/radius/client", "aaasess/internal/retry", "aaasess/internal/servers", "aaasess/sessions", "aaasess/store"}, "it answers for accounting at the control socket; the daemon gives it its parts"},
	{"cmd/aaasessd/internal/web", []string{"aaasess/internal/throttle", "aaasess/internal/unixsocket", "github.com/prometheus/exporter-toolkit/web", "go.yaml.in/yaml/v2", "golang.org/x/crypto", "golang.org/x/sync"}, "a listener for HTTP: the daemon says what it answers; it reads the file of the toolkit with the toolkit's own parser"},
	{"cmd/aaasessd/internal/page", []string{"aaasess/cmd/internal/human", "aaasess/cmd/internal/api", "aaasess/cmd/internal/rates"}, "it shows what a Source tells; it knows neither the table nor accounting"},
	{"cmd/aaasessd/internal/metrics", []string{"aaasess/accounting", "aaasess/accounting/", "aaasess/agent/", "aaasess/internal/histogram", "aaasess/internal/servers", "aaasess/sessions", "aaasess/sessions/", "aaasess/store", "github.com/posteo/go-agentx", "github.com/prometheus/client_golang", "github.com/prometheus/client_model"}, "it makes metrics of the statistics of all parts; no part knows Prometheus"},
	{"cmd/...", []string{"aaasess/", "github.com/prometheus/client_golang", "github.com/spf13/", "golang.org/x/", "layeh.com/radius"}, "it wires everything together"},
	{"deploy/debian", nil, "tests only: they install what users install"},
	{"deploy/image", []string{"github.com/google/go-containerregistry"}, "it packs programs as they are: no package of ours is in it"},
	{"bench/report", nil, "runs, ratios and tables; it does not know what is measured"},
	{"bench/snmpclient", []string{"github.com/gosnmp/gosnmp", "golang.org/x/sys"}, "it measures any agent, ours and others, with the same code"},
	{"bench/nasload", []string{"aaasess/sessions", "aaasess/internal/radius"}, "requests of NASes; it does not know which server answers"},
	{"bench/localload", []string{"aaasess/sessions/local/report", "golang.org/x/sync"}, "starts to a local socket; it does not know who runs the daemon"},
	{"bench/tacacsload", []string{"aaasess/bench/nasload", "aaasess/internal/retry", "aaasess/internal/tacacs", "aaasess/internal/tacacs/client", "github.com/nwaples/tacplus"}, "records to any TACACS+ server; it does not know who runs it"},
	{"bench/stand", []string{"aaasess/accounting", "aaasess/bench/nasload", "aaasess/bench/snmpclient", "aaasess/bench/tacacsload", "aaasess/internal/freeport", "aaasess/internal/radius", "aaasess/sessions", "aaasess/store", "golang.org/x/"}, "it starts the measured programs; it does not know the results"},
	{"bench/...", []string{"aaasess/", "github.com/gosnmp/gosnmp", "github.com/mdlayher/netlink", "golang.org/x/"}, "it measures everything; no other package imports it"},
}

// private maps a package to the only packages that may import it.
var private = map[string]string{
	"crypto/md5":                  "aaasess/internal/radius aaasess/internal/tacacs aaasess/agent/snmp/usm aaasess/sessions/radius/radiustest",
	"=layeh.com/radius":           "aaasess/internal/radius aaasess/sessions/radius/radiustest",
	"aaasess/cmd/":                "aaasess/cmd/",
	"aaasess/bench":               "aaasess/bench",
	"aaasess/bench/":              "aaasess/bench aaasess/bench/",
	"aaasess/store":               "aaasess/accounting aaasess/accounting/delivery aaasess/accounting/methods aaasess/cmd/ aaasess/bench aaasess/bench/stand",
	"aaasess/accounting/delivery": "aaasess/accounting/methods aaasess/cmd/",
	"aaasess/accounting/onoff":    "aaasess/accounting/methods aaasess/cmd/",
	"aaasess/accounting/methods":  "aaasess/cmd/",
	"github.com/chromedp/":        "aaasess/internal/browser",
	"testing":                     "aaasess/internal/browser aaasess/internal/goldentest aaasess/internal/partner aaasess/internal/radius/captured aaasess/agent/agentx/agentxtest aaasess/sessions/radius/radiustest aaasess/sessions/sessionstest",
}

type listed struct {
	ImportPath string
	Imports    []string
}

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != "aaasess"
}

func ruleFor(pkg string) *rule {
	short := strings.TrimPrefix(pkg, "aaasess/")
	for i, r := range rules {
		if dir, all := strings.CutSuffix(r.pkg, "/..."); r.pkg == short || all && (short == dir || strings.HasPrefix(short, dir+"/")) {
			return &rules[i]
		}
	}
	return nil
}

// matches reports whether path matches a pattern. A pattern that ends in a slash matches everything
// below it. A pattern in another module matches its packages too. A pattern of ours matches only
// itself, and so does one after "=".
func matches(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		switch exact, only := strings.CutPrefix(p, "="); {
		case only:
			return path == exact
		case path == p:
			return true
		case strings.HasSuffix(p, "/"):
			return strings.HasPrefix(path, p)
		}
		return !strings.HasPrefix(p, "aaasess/") && strings.HasPrefix(path, p+"/")
	})
}

// breaches returns the imports of a package that break a rule.
func breaches(p listed) []string {
	r := ruleFor(p.ImportPath)
	if r == nil {
		return []string{p.ImportPath + " has no rule: add one with its reason"}
	}
	var out []string
	for _, i := range p.Imports {
		if !isStandard(i) && !matches(i, r.allow) {
			out = append(out, fmt.Sprintf("%s imports %s: %s", p.ImportPath, i, r.why))
		}
		for guarded, who := range private {
			if matches(i, []string{guarded}) && !matches(p.ImportPath, strings.Fields(who)) {
				out = append(out, fmt.Sprintf("%s imports %s, which only these may import: %s", p.ImportPath, i, who))
			}
		}
	}
	return out
}

// packages lists all packages of the module with their imports.
func packages(t *testing.T) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "aaasess/...")
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(b))); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		for _, e := range breaches(p) {
			t.Error(e)
		}
	}
}

// unused returns the patterns of the rule for a package that match none of its imports. A rule for
// several packages has none.
func unused(p listed) (patterns []string) {
	r := ruleFor(p.ImportPath)
	if r == nil || strings.HasSuffix(r.pkg, "/...") {
		return nil
	}
	for _, pattern := range r.allow {
		if !slices.ContainsFunc(p.Imports, func(i string) bool { return matches(i, []string{pattern}) }) {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// TestRulesAreUsed: no package may import more than it does, so that a new import is a decision.
func TestRulesAreUsed(t *testing.T) {
	for _, p := range packages(t) {
		for _, pattern := range unused(p) {
			t.Errorf("%s may import %s, but does not", p.ImportPath, pattern)
		}
	}
}

func TestRulesAreUsedCanFail(t *testing.T) {
	p := listed{"aaasess/store", []string{"github.com/cockroachdb/pebble/v2/vfs"}}
	if got := unused(p); !slices.Equal(got, []string{"aaasess/internal/shortage", "aaasess/internal/throttle", "golang.org/x/sys"}) {
		t.Errorf("got %q", got)
	}
}

// TestRulesCanFail: each kind of breach is found.
func TestRulesCanFail(t *testing.T) {
	tests := []struct {
		name string
		p    listed
		want int
	}{
		{"good", listed{"aaasess/mib/casn", []string{"fmt", "aaasess/mib"}}, 0},
		{"no rule", listed{"aaasess/util", nil}, 1},
		{"a transport knows another", listed{"aaasess/accounting/local", []string{"aaasess/accounting/radius"}}, 1},
		{"methods know a transport", listed{"aaasess/accounting/methods", []string{"aaasess/accounting/radius"}}, 1},
		{"a transport knows who runs it", listed{"aaasess/accounting/local", []string{"aaasess/accounting/methods"}}, 2},
		{"a library where none may be", listed{"aaasess/mib", []string{"github.com/x/y"}}, 1},
		{"the YAML decoder knows what it decodes", listed{"aaasess/cmd/internal/strictyaml", []string{"aaasess/internal/radius"}}, 1},
		{"the command is imported", listed{"aaasess/bench/x", []string{"aaasess/cmd/aaasessd"}}, 1},
		{"another codec of packets", listed{"aaasess/sessions/radius", []string{"layeh.com/radius/rfc2865", "crypto/md5"}}, 1},
		{"layeh's codec of packets", listed{"aaasess/internal/radius/client", []string{"layeh.com/radius"}}, 2},
		{"the command line knows the table", listed{"aaasess/cmd/aaasess/internal/live", []string{"aaasess/cmd/internal/apiclient", "aaasess/sessions"}}, 1},
		{"the client knows the server", listed{"aaasess/cmd/internal/apiclient", []string{"aaasess/cmd/internal/control"}}, 1},
		{"test code in the product", listed{"aaasess/sessions", []string{"testing"}}, 1},
	}
	for _, tt := range tests {
		if got := breaches(tt.p); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", tt.name, got, tt.want)
		}
	}
}
