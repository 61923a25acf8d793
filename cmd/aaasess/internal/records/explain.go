package records

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const explainHelp = `Explain the accounting of a live session or of one record: which method list it has and why,
where its records go, and where they are now.

SESSION is the ID of a session: exactly eight hex digits, or 0x and one to eight hex digits.
RECORD is the name of a record as this command shows it: a queue, a colon and a number, such
as group/isp:812, or set-aside: and the number in "aaasess spool list".

Granted is what the Access-Accept of the user has granted, if the daemon has relayed it.

A session keeps the list that it began with. If the present configuration would choose
another one, the answer says so. The list network/dnis:7777 is the entry 7777 of the DNIS
map.

Accepted are the records of the session that no longer wait at the methods that are named. With
broadcast these are the groups with acknowledge-broadcast, else the first method.

The states of a record:
  in flight   it was sent to METHOD, which has not answered yet
  ready       it is sent to METHOD next, when it is its turn
  behind      an earlier record of the session goes first
  retrying    it was not answered; it is sent again at the time shown
  no address  the start waits for the address of its user, at most until the time shown
  no method   none of its methods is available: all are down, held or removed
  unread      so many records are before it that it was not read yet
  leaving     it is being set aside
  set aside   it was rejected, is damaged, or was not answered; see "aaasess spool show"

The other columns of a record:
  METHOD  the method that has it or gets it next
  AGAIN   when it is sent again, or sent at the latest
  TRIES   how often it was sent and not answered
  BEFORE  at most so many records are before it in the queue

The states of a method are those of a queue in "aaasess show spool", and removed: it is no
longer configured.

The exit code is 4 if the session is not live and no record or stop of it waits, or if there
is no such record.`

// NewExplain returns the command "explain".
func NewExplain(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use: "explain SESSION|RECORD", Short: "Explain where the accounting of a session or record goes, and why", Long: explainHelp,
		Example: `  aaasess explain 0000000D
  aaasess explain group/isp:812`,
		Args:              cli.Arguments("SESSION or RECORD"),
		ValidArgsFunction: g.SuggestIDs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if _, err := api.ParseRecordName(name); err != nil {
				id, err := api.ParseID(name)
				if err != nil {
					return fmt.Errorf("%w: %q is neither a session ID, such as 0000000D, nor the name of a record, such as group/isp:812", cli.ErrUsage, name)
				}
				name = id.String()
			}
			e, err := g.Client().Explain(cmd.Context(), name)
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(e)
			}
			return PrintExplanation(g.Out, e, time.Now())
		},
	}
}

// PrintExplanation prints an explanation: the session, its method list and what became of its
// records.
func PrintExplanation(w io.Writer, e *api.Explanation, now time.Time) error {
	var lines []term.StatusLine
	user := ""
	if s := e.Session; s != nil {
		user = s.User
		lines = append(lines, term.StatusLine{Name: "session", Value: explainedSession(s)})
	} else if len(e.Records) > 0 {
		if id, err := api.ParseID(e.Records[0].Session); err == nil { // else the record has no session
			lines = append(lines, term.StatusLine{Name: "session", Value: id.String() + ", not live"})
		}
	}
	if len(e.Granted) > 0 {
		lines = append(lines, term.StatusLine{Name: "granted", Value: ""})
	}
	for _, a := range e.Granted {
		lines = append(lines, term.StatusLine{Depth: 1, Name: a.Name, Value: a.Value})
	}
	if e.StopWaits != nil {
		lines = append(lines, term.StatusLine{Name: "stop", Value: "on disk; waits for the stops of its network sessions, until " + term.Date(*e.StopWaits) + " at the latest"})
	}
	if e.Decision != nil {
		lines = append(lines, decisionLines("list", e.Decision, user)...)
	}
	if e.Accepted != nil {
		lines = append(lines, term.StatusLine{Depth: 1, Name: "accepted", Value: acceptedText(e.Accepted, e.Complete)})
	}
	if e.Now != nil {
		lines = append(lines, decisionLines("if it began now", e.Now, user)...)
	}
	if len(e.Methods) > 0 {
		lines = append(lines, term.StatusLine{Name: "methods", Value: ""})
	}
	for i := range e.Methods {
		m := &e.Methods[i]
		lines = append(lines, term.StatusLine{Depth: 1, Name: m.Method, Value: methodText(m, now)})
		for _, s := range m.Servers {
			lines = append(lines, term.StatusLine{Depth: 2, Name: s.Name, Value: s.Address + ", " + s.State})
		}
	}
	if err := term.PrintLines(w, lines); err != nil {
		return err
	}
	switch {
	case len(e.Records) > 0:
	case e.StopWaits != nil:
		return nil
	default:
		_, err := fmt.Fprintln(w, "no record of the session waits")
		return err
	}
	return printExplainedRecords(w, e)
}

// explainedSession has what rules and the DNIS map ask for.
func explainedSession(s *api.Session) string {
	parts := []string{s.ID, s.Kind}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+value)
		}
	}
	add("Acct-Session-Id ", s.Upstream)
	add("user ", live.UserText(s))
	add("NAS ", cmp.Or(s.NAS, s.NASAddress))
	if s.NASPort != nil {
		add("NAS-Port ", strconv.FormatUint(uint64(*s.NASPort), 10))
	}
	add("NAS-Port-Id ", s.NASPortID)
	add("Called-Station-Id ", s.CalledStation)
	return strings.Join(parts, ", ")
}

func decisionLines(name string, d *api.Decision, user string) []term.StatusLine {
	if !d.Accounted {
		lines := []term.StatusLine{{Name: name, Value: "none: the session is not accounted"}}
		if d.List != "" {
			lines[0].Value = d.List + ", none: the session is not accounted"
		}
		if d.Reason != "" {
			lines = append(lines, term.StatusLine{Depth: 1, Name: "because of", Value: d.Reason})
		}
		return lines
	}
	how := "the first that answers"
	switch {
	case d.Broadcast:
		how = "each of these at the same time"
	case len(d.Methods) == 1:
		how = "this one"
	}
	lines := []term.StatusLine{{Name: name, Value: d.List + ", " + d.Record}}
	if d.Reason != "" {
		lines = append(lines, term.StatusLine{Depth: 1, Name: "because of", Value: d.Reason})
	}
	lines = append(lines, term.StatusLine{Depth: 1, Name: "records go to", Value: how + ": " + strings.Join(d.Methods, ", ")})
	if d.InterimsToFirst && len(d.Methods) > 0 {
		lines = append(lines, term.StatusLine{Depth: 1, Name: "interims go to", Value: "the first of these only: " + d.Methods[0]})
	}
	if d.DelayStart > 0 {
		lines = append(lines, term.StatusLine{Depth: 1, Name: "start", Value: "waits for the address of the user, at most " + time.Duration(d.DelayStart*float64(time.Second)).String()})
	}
	switch {
	case d.SuppressNullUsername && user == "":
		lines = append(lines, term.StatusLine{Depth: 1, Name: "left out", Value: "all records until now: no User-Name"})
	case d.SuppressNullUsername:
		lines = append(lines, term.StatusLine{Depth: 1, Name: "left out", Value: "records from before the session had a User-Name"})
	}
	return lines
}

// acceptedText says which methods accept records, and how many they have not accepted.
func acceptedText(a *api.Acceptance, complete bool) string {
	by, which := strings.Join(a.By, " and "), "all records"
	if !a.All {
		by = strings.Join(a.By, " or ")
	}
	if a.Missing > 0 {
		which = "all but " + term.Count(a.Missing, "record")
	}
	if !complete {
		which += " of those that were found"
	}
	return "by " + by + ": " + which
}

func methodText(m *api.ExplainedMethod, now time.Time) string {
	text := m.State
	if !m.DownSince.IsZero() {
		if m.State != "down" { // it is held, say, and does not answer either
			text += ", down"
		}
		text += " for " + human.Span(now.Sub(m.DownSince))
	}
	if !m.NextProbe.IsZero() {
		text += ", next probe in " + human.Span(m.NextProbe.Sub(now))
	}
	if m.Rerouted != "" {
		text += ", rerouted to " + m.Rerouted
	}
	return fmt.Sprintf("%s, %s in queue %s", text, term.Count(int(m.Records), "record"), m.Queue)
}

// recordStates are the states for people, if they differ.
var recordStates = map[string]string{"inFlight": "in flight", "noMethod": "no method", "noAddress": "no address", "setAside": "set aside"}

func printExplainedRecords(w io.Writer, e *api.Explanation) error {
	t := term.NewTable(w, []term.Column{
		{Title: "RECORD"},
		{Title: "TYPE"},
		{Title: "AT"},
		{Title: "STATE"},
		{Title: "METHOD"},
		{Title: "AGAIN"},
		{Title: "TRIES", Right: true},
		{Title: "BEFORE", Right: true},
		{Title: "LIST"},
	})
	for i := range e.Records {
		r := &e.Records[i]
		again := ""
		if !r.NextAt.IsZero() {
			again = term.Date(r.NextAt)
		}
		err := t.Row(r.Record, typeText(r.Type, r.Resync), term.Date(r.At), cmp.Or(recordStates[r.State], r.State), r.Method, again,
			strconv.Itoa(r.Tries), strconv.FormatUint(r.Before, 10), r.List)
		if err != nil {
			return err
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range e.Records {
		if r := &e.Records[i]; r.Reason != "" {
			if _, err := fmt.Fprintf(w, "%s: %s\n", human.Printable(r.Record), human.Printable(r.Reason)); err != nil {
				return err
			}
		}
	}
	if !e.Complete {
		_, err := fmt.Fprintln(w, "the queues are too long to search all of them; there may be more records")
		return err
	}
	return nil
}
