package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

const showStatusHelp = `Show whether the daemon is well: ok, or degraded and why. Then its version and its sessions.

  sessions         sessions now, with logins that are rows (session-mib-populate: setup)
  calls            calls now, with or without a user
  high-water mark  most sessions at the same time
  total            sessions since the first start
  disconnected     sessions that an operator disconnected

Sessions that the daemon has ended by itself since it started:

  ended as stale   sessions that their NASes have stopped reporting
  ended by starts  sessions that the start of another one has ended, by the attribute whose value
                   both have (reboot-sign, one-per-station; Acct-Session-Id: a program on this
                   host has given its name to the session of another user)

If the daemon relays authentication, what became of the Access-Requests since it started:

  requests         requests that were relayed or dropped, without copies
  accepts, rejects, challenges  their answers
  dropped          requests that got no answer, by reason
  invalid          datagrams that were not even tried, by reason
  in flight        requests that wait for their answer now
  known States     State attributes of servers: a round of a login with one goes to the server that
                   sent it; up to two of each login
  waiting logins   users whose accounting has not started yet: accepted, or with a reserved
                   number

If servers may end and change sessions (dynamic-authorization), what became of their requests since
the daemon started:

  disconnects, CoAs  Disconnect-Requests and CoA-Requests, without copies
  ACKs, NAKs       answers of the NASes
  unanswered       requests whose NAS did not answer
  refused          requests that aaasess answered with a NAK of its own, by reason
  invalid          datagrams that were not even tried, by reason
  in flight        requests that wait for their answer now
  stops made       stop records that aaasess made, because the NAS sent none

--all adds the state and the counters of each part of the daemon. --json always has them.`

func newShowStatus(g *global) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether the daemon is well, and the status of its parts",
		Long:  showStatusHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := g.client().Status(cmd.Context())
			if err != nil {
				return err
			}
			if g.json {
				return g.printJSON(status)
			}
			return printStatus(g.out, status, all, time.Now())
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the parts of the daemon with all their counters")
	return cmd
}

// printStatus prints the verdict and the counters of sessions; with all, also every section.
func printStatus(w io.Writer, s *api.Status, all bool, now time.Time) error {
	lines := []statusLine{{0, "status", s.Verdict}}
	for _, reason := range s.Reasons {
		lines = append(lines, statusLine{1, "reason", reason})
	}
	lines = append(lines, []statusLine{
		{0, "version", s.Version},
		{0, "started", date(s.Started) + ", " + span(now.Sub(s.Started)) + " ago"},
		{0, "sessions", strconv.Itoa(s.Entries)},
		{0, "calls", strconv.Itoa(s.Calls)},
		{0, "high-water mark", strconv.FormatUint(uint64(s.HighWaterMark), 10)},
		{0, "total", strconv.FormatUint(s.Total, 10)},
		{0, "disconnected", strconv.FormatUint(s.Disconnected, 10)},
	}...)
	ended, err := endedLines(s.Sections)
	if err != nil {
		return err
	}
	lines = append(lines, ended...)
	auth, err := authenticationLines(s.Sections[api.AuthenticationSection])
	if err != nil {
		return fmt.Errorf("section %q: %w", api.AuthenticationSection, err)
	}
	dyn, err := dynAuthLines(s.Sections[api.DynAuthSection])
	if err != nil {
		return fmt.Errorf("section %q: %w", api.DynAuthSection, err)
	}
	lines = append(append(lines, auth...), dyn...)
	if !all {
		return printLines(w, lines)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Sections)) {
		dec := json.NewDecoder(bytes.NewReader(s.Sections[name]))
		dec.UseNumber()
		section, err := flattenJSON(dec, 0, name)
		if err != nil {
			return fmt.Errorf("section %q: %w", name, err)
		}
		lines = append(lines, section...)
	}
	return printLines(w, lines)
}

// endedLines returns how many sessions the daemon has ended by itself.
func endedLines(sections map[string]json.RawMessage) (lines []statusLine, err error) {
	if section := sections[api.StaleSection]; section != nil {
		var s api.StaleStatus
		if err := json.Unmarshal(section, &s); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.StaleSection, err)
		}
		lines = append(lines, statusLine{0, "ended as stale", strconv.FormatUint(s.Ended, 10)})
	}
	if section := sections[api.SupersededSection]; section != nil {
		var s api.SupersededStatus
		if err := json.Unmarshal(section, &s); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.SupersededSection, err)
		}
		lines = append(lines, statusLine{0, "ended by starts", reasonsText(
			reasonCount{"NAS-Port", s.NASPort}, reasonCount{"Framed-IP-Address", s.FramedIPAddress}, reasonCount{"Calling-Station-Id", s.CallingStationID},
			reasonCount{"Acct-Session-Id", s.AcctSessionID},
		)})
	}
	return lines, nil
}

// authenticationLines summarizes the section of the authentication relay, if there is one.
func authenticationLines(section json.RawMessage) ([]statusLine, error) {
	if section == nil {
		return nil, nil
	}
	var a api.AuthenticationStatus
	if err := json.Unmarshal(section, &a); err != nil {
		return nil, err
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	d, l := &a.Relay.Dropped, &a.Listener
	return []statusLine{
		{0, "authentication", ""},
		{1, "requests", number(a.Relay.Requests)},
		{1, "accepts", number(a.Relay.Accepts)},
		{1, "rejects", number(a.Relay.Rejects)},
		{1, "challenges", number(a.Relay.Challenges)},
		{1, "dropped", reasonsText(
			reasonCount{"no list", d.NoList}, reasonCount{"group blocked", d.Blocked}, reasonCount{"no server answered", d.NoResponse},
			reasonCount{"too many in flight", d.Busy}, reasonCount{"unusable", d.Unusable}, reasonCount{"looped", d.Looped},
			reasonCount{"unusable answer", d.BadAnswers}, reasonCount{"stopped", d.Stopped},
		)},
		{1, "invalid", reasonsText(
			reasonCount{"unknown client", l.UnknownClients}, reasonCount{"malformed", l.Malformed}, reasonCount{"no Message-Authenticator", l.Unsigned},
			reasonCount{"wrong Message-Authenticator", l.BadAuthenticators},
		)},
		{1, "in flight", strconv.Itoa(a.Relay.InFlight)},
		{1, "known States", strconv.Itoa(a.Relay.States)},
		{1, "waiting logins", strconv.Itoa(a.Logins.Waiting)},
	}, nil
}

// dynAuthLines summarizes the section of the requests of servers, if there is one.
func dynAuthLines(section json.RawMessage) ([]statusLine, error) {
	if section == nil {
		return nil, nil
	}
	var a api.DynAuthStatus
	if err := json.Unmarshal(section, &a); err != nil {
		return nil, err
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	r, l := &a.Relay, &a.Listener
	return []statusLine{
		{0, "dynamic authorization", ""},
		{1, "disconnects", number(r.Disconnects)},
		{1, "CoAs", number(r.CoAs)},
		{1, "ACKs", number(r.ACKs)},
		{1, "NAKs", number(r.NAKs)},
		{1, "unanswered", number(r.Silent)},
		{1, "refused", reasonsText(
			reasonCount{"no session named", r.Incomplete}, reasonCount{"unknown session", r.Unknown}, reasonCount{"several sessions", r.Ambiguous},
			reasonCount{"other NAS", r.Mismatched}, reasonCount{"not allowed", r.Prohibited}, reasonCount{"NAS not reachable", r.Unroutable},
			reasonCount{"unusable", r.Unusable}, reasonCount{"too many in flight", r.Busy},
		)},
		{1, "invalid", reasonsText(
			reasonCount{"unknown server", l.UnknownClients}, reasonCount{"malformed", l.Malformed}, reasonCount{"wrong authenticator", l.BadAuthenticators},
			reasonCount{"wrong, repeated or no Event-Timestamp", l.Stale},
		)},
		{1, "in flight", strconv.Itoa(r.InFlight)},
		{1, "stops made", number(r.Stops)},
	}, nil
}

// reasonCount is how often something happened for a reason.
type reasonCount struct {
	reason string
	n      uint64
}

// reasonsText returns the sum of counts, and those that are not 0: "5 (3 no list, 2 looped)".
func reasonsText(counts ...reasonCount) string {
	var sum uint64
	var parts []string
	for _, c := range counts {
		if sum += c.n; c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.reason))
		}
	}
	text := strconv.FormatUint(sum, 10)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

// statusLine is a name and its value at a depth of nested sections. The name of a section has no
// value.
type statusLine struct {
	depth       int
	name, value string
}

// maxDepth limits the nesting of a section.
const maxDepth = 16

// flattenJSON returns the lines of the next JSON value. Fields keep their order.
func flattenJSON(dec *json.Decoder, depth int, name string) ([]statusLine, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		value := fmt.Sprint(token)
		if token == nil {
			value = ""
		}
		return []statusLine{{depth, name, value}}, nil
	}
	lines := []statusLine{{depth, name, ""}}
	for i := 1; dec.More(); i++ {
		key := strconv.Itoa(i)
		if delim == '{' {
			if token, err = dec.Token(); err != nil {
				return nil, err
			}
			key = fmt.Sprint(token)
		}
		below, err := flattenJSON(dec, depth+1, key)
		if err != nil {
			return nil, err
		}
		lines = append(lines, below...)
	}
	_, err = dec.Token()
	return lines, err
}

func printLines(w io.Writer, lines []statusLine) error {
	width := 0
	for i := range lines {
		l := &lines[i]
		l.name, l.value = strings.Repeat("  ", l.depth)+printable(l.name), printable(l.value)
		width = max(width, len([]rune(l.name)))
	}
	for _, l := range lines {
		line := l.name
		if l.value != "" {
			line += strings.Repeat(" ", width-len([]rune(l.name))+2) + l.value
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
