package agents

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/snmpmanager"
)

const snmpSessionsHelp = `List the sessions of one or several agents that match all the given filters. Without a filter,
list all. "aaasess snmp --help" has the ways to give a community or a user.

  HOST       the agent, as in the command line
  ID         casnSessionId in hex digits, which is the Acct-Session-Id towards the AAA servers
  USER       casnUserId
  ADDRESS    casnIpAddr
  IDLE       casnIdleTime
  PORT       the ifIndex that casnNasPort names: the port of the agent that carries the session
  INTERFACE  casnVaiIfIndex: the ifIndex of the interface of the session
  STATE      terminating if casnDisconnect is true, else active

The sessions of a host are printed as soon as it has answered. With --sort they are printed when all
hosts have answered or failed.

The exit code is 1 if a host fails (the others are printed), and 4 if filters are given and no
session matches them.`

func newSNMPSessions(g *cli.Global) *cobra.Command {
	var order string
	var limit uint
	cmd := &cobra.Command{
		Use:   "sessions HOST...",
		Short: "List the sessions of SNMP agents",
		Long:  snmpSessionsHelp,
		Example: `  aaasess snmp sessions router-1 router-2 -c public
  aaasess snmp sessions 192.0.2.1:1161 -u noc -a SHA-256 --auth-password-file auth \
    -x AES-128 --priv-password-file priv --user alice@example.net
  aaasess snmp sessions router-1 --community-file community --json | jq -r '.sessions[].user'`,
		Args: cobra.MinimumNArgs(1),
	}
	flags := addSNMPFlags(cmd, g, true)
	cmd.Flags().StringVar(&order, "sort", "", "sort by `ORDER`: id, user, idle (longest first) or host; a leading - reverses the order")
	cmd.Flags().UintVar(&limit, "limit", 0, "list at most `N` sessions; 0 for all")
	cli.Complete(cmd, "sort", "host", "id", "idle", "user")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		compare, err := snmpOrder(order)
		if err != nil {
			return err
		}
		targets, err := flags.targets(args)
		if err != nil {
			return err
		}
		filter, err := flags.query()
		if err != nil {
			return err
		}
		m, err := flags.manager()
		if err != nil {
			return err
		}
		*g.Started = true
		if g.JSON && compare == nil { // nothing is printed before the last answer
			compare, _ = snmpOrder("host")
		}
		l := &snmpList{g: g, compare: compare, limit: int(min(limit, 1<<31-1)), hosts: []snmpHost{}, table: NewTable(g, targets)}
		return l.show(cmd.Context(), m, targets, filter)
	}
	return cmd
}

// snmpOrder returns the function that compares sessions; nil for no order.
func snmpOrder(order string) (func(a, b snmpmanager.Session) int, error) {
	name, reverse := strings.CutPrefix(order, "-")
	var compare func(a, b snmpmanager.Session) int
	switch name {
	case "":
		if order == "" {
			return nil, nil
		}
	case "id":
		compare = func(a, b snmpmanager.Session) int { return cmp.Compare(a.Number, b.Number) }
	case "user":
		compare = func(a, b snmpmanager.Session) int { return cmp.Compare(a.User, b.User) }
	case "idle":
		compare = func(a, b snmpmanager.Session) int { return cmp.Compare(b.Idle, a.Idle) }
	case "host":
		compare = func(a, b snmpmanager.Session) int { return cmp.Compare(a.Host, b.Host) }
	}
	if compare == nil {
		return nil, fmt.Errorf("%w: cannot sort by %q: want one of host, id, idle, user", cli.ErrUsage, order)
	}
	return func(a, b snmpmanager.Session) int {
		first := compare(a, b)
		if reverse {
			first = -first
		}
		return cmp.Or(first, cmp.Compare(a.Host, b.Host), cmp.Compare(a.Number, b.Number))
	}, nil
}

// snmpHost is the JSON form of what a host has answered.
type snmpHost struct {
	Host          string  `json:"host"`
	Error         string  `json:"error,omitempty"` // then it has no other field
	Matched       int     `json:"matched"`
	Entries       *uint32 `json:"entries,omitempty"`       // casnActiveTableEntries
	HighWaterMark *uint32 `json:"highWaterMark,omitempty"` // casnActiveTableHighWaterMark
	Total         *uint32 `json:"total,omitempty"`         // casnTotalSessions
	Disconnected  *uint32 `json:"disconnected,omitempty"`  // casnDisconnectedSessions
}

func newSNMPHost(a *snmpmanager.Answer) snmpHost {
	h := snmpHost{
		Host: a.Target.Name, Matched: len(a.Sessions),
		Entries: a.Totals.Entries, HighWaterMark: a.Totals.HighWater, Total: a.Totals.Total, Disconnected: a.Totals.Disconnected,
	}
	if a.Err != nil {
		h.Error = a.Err.Error()
	}
	return h
}

// sortHosts puts hosts in the order of the command line.
func sortHosts(hosts []snmpHost, targets []snmpmanager.Target) {
	place := func(h snmpHost) int {
		return slices.IndexFunc(targets, func(t snmpmanager.Target) bool { return t.Name == h.Host })
	}
	slices.SortFunc(hosts, func(a, b snmpHost) int { return cmp.Compare(place(a), place(b)) })
}

// snmpSession is the JSON form of a session of an agent. Fields with the names of [api.Session] have
// its meaning.
type snmpSession struct {
	Host           string `json:"host"`
	ID             string `json:"id"`
	Number         uint32 `json:"number"`
	User           string `json:"user"` // octets that are not UTF-8 as \xHH
	Address        string `json:"address"`
	Idle           uint32 `json:"idle"`
	State          string `json:"state"`
	CallTrackerID  uint32 `json:"callTrackerId"`
	NASPort        string `json:"nasPort"`        // an OID; "" for none
	NASPortIfIndex uint32 `json:"nasPortIfIndex"` // that nasPort names; 0 for none
	IfIndex        uint32 `json:"ifIndex"`
	Error          string `json:"error,omitempty"` // of a disconnect: why the agent does not end it
}

func newSNMPSession(s *snmpmanager.Session) snmpSession {
	return snmpSession{
		Host: s.Host, ID: api.ID(s.Number).String(), Number: s.Number, User: api.ValidText(s.User), Address: snmpAddress(s), Idle: s.Idle,
		State: snmpState(s), CallTrackerID: s.CallTracker, NASPort: s.Port, NASPortIfIndex: s.PortIfIndex, IfIndex: s.IfIndex,
	}
}

var snmpColumns = []term.Column{
	{Title: "HOST"},
	{Title: "ID"},
	{Title: "USER", Cut: 32},
	{Title: "ADDRESS"},
	{Title: "IDLE", Right: true},
	{Title: "PORT", Right: true},
	{Title: "INTERFACE", Right: true},
	{Title: "STATE"},
}

// NewTable returns a table whose columns do not shift when the rows of another host follow.
func NewTable(g *cli.Global, targets []snmpmanager.Target) *term.Table {
	t := g.StateColors(term.NewTable(g.Out, snmpColumns))
	for _, target := range targets {
		t.Width[0] = max(t.Width[0], len([]rune(target.Name)))
	}
	t.Width[1], t.Width[3], t.Width[4] = len("0000000D"), len("255.255.255.255"), len("99d23h")
	return t
}

// Cells returns the cells of a session in the columns of NewTable.
func Cells(s *snmpmanager.Session) []string {
	index := func(n uint32) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatUint(uint64(n), 10)
	}
	port := index(s.PortIfIndex)
	if port == "" {
		port = s.Port
	}
	return []string{
		s.Host, api.ID(s.Number).String(), s.User, snmpAddress(s), human.Span(time.Duration(s.Idle) * time.Second), port, index(s.IfIndex), snmpState(s),
	}
}

// snmpList is a list of sessions while it arrives.
type snmpList struct {
	g       *cli.Global
	compare func(a, b snmpmanager.Session) int // nil: print them as they come
	limit   int                                // 0 for none
	table   *term.Table

	hosts          []snmpHost
	waiting        []snmpmanager.Session // not printed yet
	matched, shown int
	failed         int
}

// show asks the hosts and prints the list.
func (l *snmpList) show(ctx context.Context, m *snmpManager, targets []snmpmanager.Target, filter *snmpmanager.Filter) error {
	var answered atomic.Int64
	done := func() {}
	if len(targets) > 1 && (l.compare != nil || l.g.JSON || !l.g.OutTerminal) { // else the rows on the terminal show it
		done = l.g.Progress(ctx, func(context.Context) string { return cli.OfTotal("asking", int(answered.Load()), len(targets), "host") })
	}
	defer done()
	for answer := range m.askAll(ctx, targets, filter) {
		if ctx.Err() != nil {
			break
		}
		answered.Add(1)
		l.add(&answer)
		if l.compare == nil && !l.g.JSON {
			if err := l.flush(); err != nil {
				return err
			}
		}
	}
	done()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if l.compare != nil {
		slices.SortFunc(l.waiting, l.compare)
	}
	sortHosts(l.hosts, targets)
	if err := l.end(); err != nil {
		return err
	}
	if err := hostsFailed(l.failed, len(targets)); err != nil {
		return err
	}
	if l.matched == 0 && !filter.IsZero() {
		return cli.ErrNoMatch
	}
	return nil
}

// add takes the answer of a host.
func (l *snmpList) add(a *snmpmanager.Answer) {
	l.hosts = append(l.hosts, newSNMPHost(a))
	if a.Err != nil {
		l.failed++
		printHostError(l.g, a.Target, a.Err)
		return
	}
	l.matched += len(a.Sessions)
	l.waiting = append(l.waiting, a.Sessions...)
}

// next returns the sessions to print now: those that wait, up to the limit.
func (l *snmpList) next() []snmpmanager.Session {
	out := l.waiting
	if l.limit > 0 {
		out = out[:min(len(out), l.limit-l.shown)]
	}
	l.waiting = nil
	l.shown += len(out)
	return out
}

// flush prints the sessions that wait.
func (l *snmpList) flush() error {
	for _, s := range l.next() {
		if err := l.table.Row(Cells(&s)...); err != nil {
			return err
		}
	}
	return l.table.Flush()
}

// end prints what is left, and the summary.
func (l *snmpList) end() error {
	if l.g.JSON {
		head := struct {
			Hosts   []snmpHost `json:"hosts"`
			Matched int        `json:"matched"`
		}{l.hosts, l.matched}
		return cli.PrintList(l.g.Out, head, snmpDocuments(l.next()), func(snmpSession) {})
	}
	if err := l.flush(); err != nil {
		return err
	}
	if answered := len(l.hosts) - l.failed; answered > 0 {
		text := term.Count(l.matched, "session")
		if l.shown < l.matched {
			text = fmt.Sprintf("%d of %s", l.shown, text)
		}
		fmt.Fprintf(l.g.Err, "%s at %s\n", text, term.Count(answered, "host"))
	}
	return nil
}

func snmpDocuments(list []snmpmanager.Session) iter.Seq2[snmpSession, error] {
	return func(yield func(snmpSession, error) bool) {
		for _, s := range list {
			if !yield(newSNMPSession(&s), nil) {
				return
			}
		}
	}
}
