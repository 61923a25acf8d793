package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
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

// snmpView is the JSON document of the command.
type snmpView struct {
	Responder *api.SNMPStatus   `json:"responder,omitempty"`
	AgentX    *api.AgentXStatus `json:"agentx,omitempty"`
}

func newShowSNMP(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "snmp",
		Short: "Show the SNMP responder, AgentX, users, notifications and rejected messages",
		Long:  showSNMPHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := g.client().Status(cmd.Context())
			if err != nil {
				return err
			}
			view, err := newSNMPView(status)
			switch {
			case err != nil:
				return err
			case view.Responder == nil && view.AgentX == nil:
				return errNoSNMP
			case g.json:
				return g.printJSON(view)
			}
			return printSNMP(g.out, view, time.Now())
		},
	}
}

func newSNMPView(status *api.Status) (*snmpView, error) {
	view := &snmpView{}
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

func printSNMP(w io.Writer, view *snmpView, now time.Time) error {
	var lines []statusLine
	if a := view.AgentX; a != nil {
		lines = append(lines, statusLine{0, "AgentX", ""},
			statusLine{1, "state", a.State + ", since " + date(a.Since) + ", " + span(now.Sub(a.Since))})
		for _, l := range []statusLine{{1, "reason", a.Reason}, {1, "error", a.Error}} {
			if l.value != "" {
				lines = append(lines, l)
			}
		}
		lines = append(lines, statusLine{1, "connections", strconv.FormatUint(a.Connects, 10)},
			statusLine{1, "malformed PDUs", strconv.FormatUint(a.Malformed, 10)})
	}
	if r := view.Responder; r != nil {
		lines = append(lines, responderLines(r)...)
	}
	if err := printLines(w, lines); err != nil || view.Responder == nil {
		return err
	}
	return printSNMPTables(w, view.Responder, now)
}

// responderLines returns the addresses, the engine and the counters of the responder.
func responderLines(r *api.SNMPStatus) []statusLine {
	var listen []string
	for _, a := range r.Listen {
		listen = append(listen, a.String())
	}
	refused, dropped := &r.Refused, &r.Dropped
	return []statusLine{
		{0, "responder", ""},
		{1, "listen", strings.Join(listen, ", ")},
		{1, "snmpEngineID", r.EngineID},
		{1, "snmpEngineBoots", strconv.Itoa(int(r.Boots))},
		{1, "requests", reasonsText(reasonCount{"GET", r.Gets}, reasonCount{"GETNEXT", r.GetNexts}, reasonCount{"GETBULK", r.GetBulks}, reasonCount{"SET", r.Sets})},
		{1, "rejected", reasonsText(
			reasonCount{"snmpInBadVersions", refused.InBadVersions}, reasonCount{"snmpInBadCommunityNames", refused.InBadCommunityNames},
			reasonCount{"snmpInASNParseErrs", refused.InASNParseErrs}, reasonCount{"snmpUnknownSecurityModels", refused.UnknownSecurityModels},
			reasonCount{"snmpInvalidMsgs", refused.InvalidMsgs}, reasonCount{"snmpUnknownPDUHandlers", refused.UnknownPDUHandlers},
			reasonCount{"snmpUnknownContexts", refused.UnknownContexts}, reasonCount{"usmStatsUnsupportedSecLevels", refused.UnsupportedSecLevels},
			reasonCount{"usmStatsNotInTimeWindows", refused.NotInTimeWindows}, reasonCount{"usmStatsUnknownUserNames", refused.UnknownUserNames},
			reasonCount{"usmStatsUnknownEngineIDs", refused.UnknownEngineIDs}, reasonCount{"usmStatsWrongDigests", refused.WrongDigests},
			reasonCount{"usmStatsDecryptionErrors", refused.DecryptionErrors}, reasonCount{"authorizationError", refused.Forbidden},
		)},
		{1, "unanswered", reasonsText(
			reasonCount{"over the limit of requests", dropped.Requests}, reasonCount{"over the limit of octets", dropped.ResponseOctets},
			reasonCount{"over the limit of octets for all sources", dropped.TotalResponseOctets}, reasonCount{"over the limit of failures", dropped.Failures},
			reasonCount{"too many SETs at a time", dropped.Sets}, reasonCount{"snmpSilentDrops", dropped.TooBig}, reasonCount{"not sent", dropped.NotSent},
		)},
	}
}

// printSNMPTables prints the tables that have rows, each below a title.
func printSNMPTables(w io.Writer, r *api.SNMPStatus, now time.Time) error {
	users := newTable(w, []column{{title: "USER"}, {title: "GROUP"}, {title: "AUTH"}, {title: "PRIV"}})
	for _, u := range r.Users {
		if err := users.row(u.Name, u.Group, u.Auth, u.Priv); err != nil {
			return err
		}
	}
	communities := newTable(w, []column{{title: "COMMUNITY OF"}, {title: "GROUP"}, {title: "VERSIONS"}, {title: "FROM"}})
	for _, c := range r.Communities {
		from := cmp.Or(strings.Join(c.From, ","), "anywhere")
		if err := communities.row(c.SecurityName, c.Group, strings.Join(c.Versions, ","), from); err != nil {
			return err
		}
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	targets := newTable(w, []column{{title: "TARGET"}, {title: "WAITING", right: true}, {title: "SENT", right: true}, {title: "ACKED", right: true}, {title: "LOST", right: true}, {title: "LAST ERROR"}})
	for _, n := range r.Notifications {
		last := n.Error
		if n.ErrorAt != "" {
			last = n.ErrorAt + " " + last
		}
		if err := targets.row(n.Name, strconv.Itoa(n.Waiting+n.UnderWay), number(n.Sent), number(n.Acknowledged), number(n.TimedOut+n.Refused+n.Dropped), last); err != nil {
			return err
		}
	}
	problems := newTable(w, []column{{title: "REJECTED", right: true}, {title: "FROM"}, {title: "USER"}, {title: "WHY"}})
	for _, p := range r.Problems {
		why := p.What
		if p.Detail != "" {
			why += ": " + p.Detail
		}
		if err := problems.row(span(now.Sub(p.At))+" ago", p.From, p.User, why); err != nil {
			return err
		}
	}
	for _, t := range []*table{users, communities, targets, problems} {
		if !t.hasRows {
			continue
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}
