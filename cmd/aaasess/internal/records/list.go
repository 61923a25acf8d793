package records

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
)

const spoolListHelp = `List the set-aside records, in the order in which they were set aside.

  SEQ      number of the record, for the other commands; it is never used again
  SINCE    when the record was set aside (local time)
  FROM     queue that the record was in: "group/" and the name of a server group, or local
  SESSION  Acct-Session-Id; - if the record is damaged
  TYPE     start, interim or stop, "(resync)" if a resync has made it; - if the record is damaged
  USER     User-Name; - if there is none
  REASON   why the record was set aside; "aaasess spool show SEQ" shows a long reason in full`

func newSpoolList(g *cli.Global) *cobra.Command {
	var after uint64
	var limit uint
	cmd := &cobra.Command{
		Use: "list", Short: "List the set-aside records", Long: spoolListHelp, Args: cobra.NoArgs,
		Example: `  aaasess spool list --limit 20
  aaasess spool list --json | jq -r '.records[] | select(.from == "group/isp") | .seq'`,
		RunE: func(cmd *cobra.Command, _ []string) error { return listSetAside(cmd.Context(), g, after, limit) },
	}
	cmd.Flags().Uint64Var(&after, "after", 0, "list only records with numbers above `SEQ`")
	cmd.Flags().UintVar(&limit, "limit", 0, "list at most `N` records; 0 for all")
	return cmd
}

// listSetAside requests and prints the records part by part.
func listSetAside(ctx context.Context, g *cli.Global, after uint64, limit uint) error {
	client, out := g.Client(), recordPrinter(NewRecordTable(g.Out))
	if g.JSON {
		out = &recordJSON{w: g.Out}
	}
	shown := uint(0)
	for {
		part := uint(1000)
		if limit > 0 {
			part = min(part, limit-shown)
		}
		list, err := client.SetAside(ctx, after, int(part))
		if err != nil {
			return err
		}
		for _, record := range list.Records {
			if err := out.Record(record); err != nil {
				return err
			}
		}
		shown += uint(len(list.Records))
		if list.Next <= after || limit > 0 && shown >= limit {
			if err := out.End(list.Next); err != nil {
				return err
			}
			if !g.JSON {
				fmt.Fprintln(g.Err, listSummary(int(shown), list.Next))
			}
			return nil
		}
		after = list.Next
	}
}

func listSummary(shown int, next uint64) string {
	if next > 0 {
		return fmt.Sprintf("%s; list more with --after %d", term.Count(shown, "record"), next)
	}
	return term.Count(shown, "record")
}

// recordPrinter prints a list of records.
type recordPrinter interface {
	Record(api.SetAside) error
	// End ends the list. next is the last record printed if there are more, else 0.
	End(next uint64) error
}

// RecordTable prints a list of records as a table.
type RecordTable struct{ *term.Table }

// NewRecordTable returns an empty table.
func NewRecordTable(w io.Writer) RecordTable {
	return RecordTable{term.NewTable(w, []term.Column{
		{Title: "SEQ", Right: true},
		{Title: "SINCE"},
		{Title: "FROM", Cut: 32},
		{Title: "SESSION", Cut: 32},
		{Title: "TYPE"},
		{Title: "USER", Cut: 32},
		{Title: "REASON", Cut: 80},
	})}
}

// Record adds a record.
func (t RecordTable) Record(r api.SetAside) error {
	return t.Row(strconv.FormatUint(r.Seq, 10), term.Date(r.At), r.From, r.Session, typeText(r.Type, r.Resync), r.User, r.Reason)
}

// typeText returns the type of a record, and whether a resync has made it.
func typeText(typ string, resync bool) string {
	if resync {
		return typ + " (resync)"
	}
	return typ
}

// End prints what is left of the table.
func (t RecordTable) End(uint64) error { return t.Flush() }

// recordJSON prints the list as one JSON document.
type recordJSON struct {
	w       io.Writer
	started bool // the document has its first record
}

// Record adds a record.
func (j *recordJSON) Record(r api.SetAside) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	head := ",\n"
	if !j.started {
		j.started, head = true, `{"records":[`+"\n"
	}
	_, err = fmt.Fprintf(j.w, "%s%s", head, term.EscapeJSON(b))
	return err
}

// End ends the document.
func (j *recordJSON) End(next uint64) error {
	head, tail := "", ""
	if !j.started {
		head = `{"records":[`
	}
	if next > 0 {
		tail = fmt.Sprintf(`,"next":%d`, next)
	}
	_, err := fmt.Fprintf(j.w, "%s\n]%s}\n", head, tail)
	return err
}
