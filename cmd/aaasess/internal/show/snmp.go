package show

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const showSNMPHelp = `Show how managers reach the daemon: the SNMP responder, the connection to the master agent (AgentX,
snmpd), who may ask, the notifications that each target got, and the last messages that the
responder rejected.

The counters have the names of their MIB objects, and count since the daemon started. Users and
communities have the group that says what they may read and write; a community is shown by its
security name, because its own name is a secret.

  WAITING   notifications in the queue of a target
  SENT      notifications sent, without retransmissions
  ACKED     informs that the target has acknowledged
  LOST      informs that the target has not acknowledged or has refused, and notifications that
            found the queue full

Of the messages that were rejected there is at most one a minute for each kind, source and user, as in
the log. The counters have all.

The exit code is 4 if the configuration has neither snmp.responder nor agentx.`

// SNMPView is the JSON document of the command.
type SNMPView struct {
	Responder *api.SNMPStatus   `json:"responder,omitempty"`
	AgentX    *api.AgentXStatus `json:"agentx,omitempty"`
}

// NewShowSNMP returns the command "show snmp".
func NewShowSNMP(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use:   "snmp",
		Short: "Show the SNMP responder, AgentX, users, notifications and rejected messages",
		Long:  showSNMPHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := g.Client().Status(cmd.Context())
			if err != nil {
				return err
			}
			view, err := NewSNMPView(status)
			switch {
			case err != nil:
				return err
			case view.Responder == nil && view.AgentX == nil:
				return cli.ErrNoSNMP
			case g.JSON:
				return g.PrintJSON(view)
			}
			return PrintSNMP(g.Out, view, time.Now())
		},
	}
}

// NewSNMPView returns what "show snmp" prints of a status. It returns cli.ErrNoSNMP if there is
// nothing.
func NewSNMPView(status *api.Status) (*SNMPView, error) {
	view := &SNMPView{}
	if section := status.Sections[api.SNMPSection]; section != nil {
		if err := json.Unmarshal(section, &view.Responder); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.SNMPSection, err)
		}
	}
	if section := status.Sections[api.AgentXSection]; section != nil {
		if err := json.Unmarshal(section, &view.AgentX); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.AgentXSection, err)
		}
	}
	return view, nil
}

// PrintSNMP prints a view.
func PrintSNMP(w io.Writer, view *SNMPView, now time.Time) error {
	var lines []term.StatusLine
	if a := view.AgentX; a != nil {
		lines = append(lines, term.StatusLine{Name: "AgentX", Value: ""},
			term.StatusLine{Depth: 1, Name: "state", Value: a.State + ", since " + term.Date(a.Since) + ", " + human.Span(now.Sub(a.Since))})
		for _, l := range []term.StatusLine{{Depth: 1, Name: "reason", Value: a.Reason}, {Depth: 1, Name: "error", Value: a.Error}} {
			if l.Value != "" {
				lines = append(lines, l)
			}
		}
		lines = append(lines, term.StatusLine{Depth: 1, Name: "connections", Value: strconv.FormatUint(a.Connects, 10)},
			term.StatusLine{Depth: 1, Name: "malformed PDUs", Value: strconv.FormatUint(a.Malformed, 10)})
	}
	if r := view.Responder; r != nil {
		lines = append(lines, responderLines(r)...)
	}
	if err := term.PrintLines(w, lines); err != nil || view.Responder == nil {
		return err
	}
	return printSNMPTables(w, view.Responder, now)
}

// responderLines returns the addresses, the engine and the counters of the responder.
func responderLines(r *api.SNMPStatus) []term.StatusLine {
	var listen []string
	for _, a := range r.Listen {
		listen = append(listen, a.String())
	}
	refused, dropped := &r.Refused, &r.Dropped
	return []term.StatusLine{
		{Name: "responder", Value: ""},
		{Depth: 1, Name: "listen", Value: strings.Join(listen, ", ")},
		{Depth: 1, Name: "snmpEngineID", Value: r.EngineID},
		{Depth: 1, Name: "snmpEngineBoots", Value: strconv.Itoa(int(r.Boots))},
		{Depth: 1, Name: "requests", Value: ReasonsText(ReasonCount{"GET", r.Gets}, ReasonCount{"GETNEXT", r.GetNexts}, ReasonCount{"GETBULK", r.GetBulks}, ReasonCount{"SET", r.Sets})},
		{Depth: 1, Name: "rejected", Value: ReasonsText(
			ReasonCount{"snmpInBadVersions", refused.InBadVersions}, ReasonCount{"snmpInBadCommunityNames", refused.InBadCommunityNames},
			ReasonCount{"snmpInASNParseErrs", refused.InASNParseErrs}, ReasonCount{"snmpUnknownSecurityModels", refused.UnknownSecurityModels},
			ReasonCount{"snmpInvalidMsgs", refused.InvalidMsgs}, ReasonCount{"snmpUnknownPDUHandlers", refused.UnknownPDUHandlers},
			ReasonCount{"snmpUnknownContexts", refused.UnknownContexts}, ReasonCount{"usmStatsUnsupportedSecLevels", refused.UnsupportedSecLevels},
			ReasonCount{"usmStatsNotInTimeWindows", refused.NotInTimeWindows}, ReasonCount{"usmStatsUnknownUserNames", refused.UnknownUserNames},
			ReasonCount{"usmStatsUnknownEngineIDs", refused.UnknownEngineIDs}, ReasonCount{"usmStatsWrongDigests", refused.WrongDigests},
			ReasonCount{"usmStatsDecryptionErrors", refused.DecryptionErrors}, ReasonCount{"authorizationError", refused.Forbidden},
		)},
		{Depth: 1, Name: "unanswered", Value: ReasonsText(
			ReasonCount{"over the limit of requests", dropped.Requests}, ReasonCount{"over the limit of octets", dropped.ResponseOctets},
			ReasonCount{"over the limit of octets for all sources", dropped.TotalResponseOctets}, ReasonCount{"over the limit of failures", dropped.Failures},
			ReasonCount{"too many SETs at a time", dropped.Sets}, ReasonCount{"snmpSilentDrops", dropped.TooBig}, ReasonCount{"not sent", dropped.NotSent},
		)},
	}
}

// printSNMPTables prints the tables that have rows, each below a title.
func printSNMPTables(w io.Writer, r *api.SNMPStatus, now time.Time) error {
	users := term.NewTable(w, []term.Column{{Title: "USER"}, {Title: "GROUP"}, {Title: "AUTH"}, {Title: "PRIV"}})
	for _, u := range r.Users {
		if err := users.Row(u.Name, u.Group, u.Auth, u.Priv); err != nil {
			return err
		}
	}
	communities := term.NewTable(w, []term.Column{{Title: "COMMUNITY OF"}, {Title: "GROUP"}, {Title: "VERSIONS"}, {Title: "FROM"}})
	for _, c := range r.Communities {
		from := cmp.Or(strings.Join(c.From, ","), "anywhere")
		if err := communities.Row(c.SecurityName, c.Group, strings.Join(c.Versions, ","), from); err != nil {
			return err
		}
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	targets := term.NewTable(w, []term.Column{{Title: "TARGET"}, {Title: "WAITING", Right: true}, {Title: "SENT", Right: true}, {Title: "ACKED", Right: true}, {Title: "LOST", Right: true}, {Title: "LAST ERROR"}})
	for _, n := range r.Notifications {
		last := n.Error
		if n.ErrorAt != "" {
			last = n.ErrorAt + " " + last
		}
		if err := targets.Row(n.Name, strconv.Itoa(n.Waiting+n.UnderWay), number(n.Sent), number(n.Acknowledged), number(n.TimedOut+n.Refused+n.Dropped), last); err != nil {
			return err
		}
	}
	problems := term.NewTable(w, []term.Column{{Title: "REJECTED", Right: true}, {Title: "FROM"}, {Title: "USER"}, {Title: "WHY"}})
	for _, p := range r.Problems {
		why := p.What
		if p.Detail != "" {
			why += ": " + p.Detail
		}
		if err := problems.Row(human.Span(now.Sub(p.At))+" ago", p.From, p.User, why); err != nil {
			return err
		}
	}
	for _, t := range []*term.Table{users, communities, targets, problems} {
		if !t.HasRows {
			continue
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}
