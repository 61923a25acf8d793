package show

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

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
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

// NewShowStatus returns the command "show status".
func NewShowStatus(g *cli.Global) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether the daemon is well, and the status of its parts",
		Long:  showStatusHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := g.Client().Status(cmd.Context())
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(status)
			}
			return PrintStatus(g.Out, status, all, time.Now())
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the parts of the daemon with all their counters")
	return cmd
}

// PrintStatus prints the verdict and the counters of sessions; with all, also every section.
func PrintStatus(w io.Writer, s *api.Status, all bool, now time.Time) error {
	lines := []term.StatusLine{{Name: "status", Value: s.Verdict}}
	for _, reason := range s.Reasons {
		lines = append(lines, term.StatusLine{Depth: 1, Name: "reason", Value: reason})
	}
	lines = append(lines, []term.StatusLine{
		{Name: "version", Value: s.Version},
		{Name: "started", Value: term.Date(s.Started) + ", " + human.Span(now.Sub(s.Started)) + " ago"},
		{Name: "sessions", Value: strconv.Itoa(s.Entries)},
		{Name: "calls", Value: strconv.Itoa(s.Calls)},
		{Name: "high-water mark", Value: strconv.FormatUint(uint64(s.HighWaterMark), 10)},
		{Name: "total", Value: strconv.FormatUint(s.Total, 10)},
		{Name: "disconnected", Value: strconv.FormatUint(s.Disconnected, 10)},
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
		return term.PrintLines(w, lines)
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
	return term.PrintLines(w, lines)
}

// endedLines returns how many sessions the daemon has ended by itself.
func endedLines(sections map[string]json.RawMessage) (lines []term.StatusLine, err error) {
	if section := sections[api.StaleSection]; section != nil {
		var s api.StaleStatus
		if err := json.Unmarshal(section, &s); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.StaleSection, err)
		}
		lines = append(lines, term.StatusLine{Name: "ended as stale", Value: strconv.FormatUint(s.Ended, 10)})
	}
	if section := sections[api.SupersededSection]; section != nil {
		var s api.SupersededStatus
		if err := json.Unmarshal(section, &s); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.SupersededSection, err)
		}
		lines = append(lines, term.StatusLine{Name: "ended by starts", Value: ReasonsText(
			ReasonCount{"NAS-Port", s.NASPort}, ReasonCount{"Framed-IP-Address", s.FramedIPAddress}, ReasonCount{"Calling-Station-Id", s.CallingStationID},
			ReasonCount{"Acct-Session-Id", s.AcctSessionID},
		)})
	}
	return lines, nil
}

// authenticationLines summarizes the section of the authentication relay, if there is one.
func authenticationLines(section json.RawMessage) ([]term.StatusLine, error) {
	if section == nil {
		return nil, nil
	}
	var a api.AuthenticationStatus
	if err := json.Unmarshal(section, &a); err != nil {
		return nil, err
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	d, l := &a.Relay.Dropped, &a.Listener
	return []term.StatusLine{
		{Name: "authentication", Value: ""},
		{Depth: 1, Name: "requests", Value: number(a.Relay.Requests)},
		{Depth: 1, Name: "accepts", Value: number(a.Relay.Accepts)},
		{Depth: 1, Name: "rejects", Value: number(a.Relay.Rejects)},
		{Depth: 1, Name: "challenges", Value: number(a.Relay.Challenges)},
		{Depth: 1, Name: "dropped", Value: ReasonsText(
			ReasonCount{"no list", d.NoList}, ReasonCount{"group blocked", d.Blocked}, ReasonCount{"no server answered", d.NoResponse},
			ReasonCount{"too many in flight", d.Busy}, ReasonCount{"unusable", d.Unusable}, ReasonCount{"looped", d.Looped},
			ReasonCount{"unusable answer", d.BadAnswers}, ReasonCount{"stopped", d.Stopped},
		)},
		{Depth: 1, Name: "invalid", Value: ReasonsText(
			ReasonCount{"unknown client", l.UnknownClients}, ReasonCount{"malformed", l.Malformed}, ReasonCount{"no Message-Authenticator", l.Unsigned},
			ReasonCount{"wrong Message-Authenticator", l.BadAuthenticators},
		)},
		{Depth: 1, Name: "in flight", Value: strconv.Itoa(a.Relay.InFlight)},
		{Depth: 1, Name: "known States", Value: strconv.Itoa(a.Relay.States)},
		{Depth: 1, Name: "waiting logins", Value: strconv.Itoa(a.Logins.Waiting)},
	}, nil
}

// dynAuthLines summarizes the section of the requests of servers, if there is one.
func dynAuthLines(section json.RawMessage) ([]term.StatusLine, error) {
	if section == nil {
		return nil, nil
	}
	var a api.DynAuthStatus
	if err := json.Unmarshal(section, &a); err != nil {
		return nil, err
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	r, l := &a.Relay, &a.Listener
	return []term.StatusLine{
		{Name: "dynamic authorization", Value: ""},
		{Depth: 1, Name: "disconnects", Value: number(r.Disconnects)},
		{Depth: 1, Name: "CoAs", Value: number(r.CoAs)},
		{Depth: 1, Name: "ACKs", Value: number(r.ACKs)},
		{Depth: 1, Name: "NAKs", Value: number(r.NAKs)},
		{Depth: 1, Name: "unanswered", Value: number(r.Silent)},
		{Depth: 1, Name: "refused", Value: ReasonsText(
			ReasonCount{"no session named", r.Incomplete}, ReasonCount{"unknown session", r.Unknown}, ReasonCount{"several sessions", r.Ambiguous},
			ReasonCount{"other NAS", r.Mismatched}, ReasonCount{"not allowed", r.Prohibited}, ReasonCount{"NAS not reachable", r.Unroutable},
			ReasonCount{"unusable", r.Unusable}, ReasonCount{"too many in flight", r.Busy},
		)},
		{Depth: 1, Name: "invalid", Value: ReasonsText(
			ReasonCount{"unknown server", l.UnknownClients}, ReasonCount{"malformed", l.Malformed}, ReasonCount{"wrong authenticator", l.BadAuthenticators},
			ReasonCount{"wrong, repeated or no Event-Timestamp", l.Stale},
		)},
		{Depth: 1, Name: "in flight", Value: strconv.Itoa(r.InFlight)},
		{Depth: 1, Name: "stops made", Value: number(r.Stops)},
	}, nil
}

// ReasonCount is how often something happened for a reason.
type ReasonCount struct {
	Reason string
	N      uint64
}

// ReasonsText returns the sum of counts, and those that are not 0: "5 (3 no list, 2 looped)".
func ReasonsText(counts ...ReasonCount) string {
	var sum uint64
	var parts []string
	for _, c := range counts {
		if sum += c.N; c.N > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.N, c.Reason))
		}
	}
	text := strconv.FormatUint(sum, 10)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

// maxDepth limits the nesting of a section.
const maxDepth = 16

// flattenJSON returns the lines of the next JSON value. Fields keep their order.
func flattenJSON(dec *json.Decoder, depth int, name string) ([]term.StatusLine, error) {
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
		return []term.StatusLine{{Depth: depth, Name: name, Value: value}}, nil
	}
	lines := []term.StatusLine{{Depth: depth, Name: name, Value: ""}}
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
