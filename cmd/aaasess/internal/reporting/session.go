package reporting

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/localclient"

	localreport "aaasess/sessions/local/report"
)

// ReportSocket is the local socket of the system's daemon.
const ReportSocket = "/run/aaasess/local.sock"

const sessionHelp = `Report sessions of this host to the daemon, for scripts: one command reports one event. The
daemon answers after the event is on its disk.

A report says who reports (--source), and what the reporter calls the session (--session): the
same in each report of the session, and unique among the live sessions of the source. An option
without a value ("") is the same as no option, so a script can pass variables that may be empty.
Octets that are not UTF-8 become the text \xHH. The user, the stations and the NAS-Port-Id are cut
to the 253 octets that an attribute can have.

These commands use the local socket, not the control socket: --socket, else
$AAASESS_LOCAL_SOCKET, else /run/aaasess/local.sock. The key local.access of the configuration
says which users and groups may report.

A command prints the ID and the user of the session. Reporting an event again changes nothing:
the daemon knows it by --idempotency-key, or by its content.

Exit codes, besides those in "aaasess --help":
  1  the daemon rejects the report
  3  no daemon answers at the socket
  4  the daemon knows no such session
  5  permission denied: the caller may not report, or not for this source or session
  7  not now: the daemon cannot store the report, or does not answer within --timeout. Try again.`

// onFailure says what the exit code is if a report fails.
const (
	failureError  = "error"
	failureIgnore = "ignore"
)

// reporter holds the options of "aaasess session".
type reporter struct {
	*cli.Global
	fields  fields
	socket  string
	timeout time.Duration
	from    string
	key     string
	failure string
	quiet   bool
}

// NewSession returns the command "session".
func NewSession(g *cli.Global) *cobra.Command {
	r := &reporter{Global: g}
	cmd := &cobra.Command{
		Use: "session", Short: "Report sessions of this host to the daemon, for scripts", Long: sessionHelp,
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&r.socket, "socket", "", "the local socket is `PATH`")
	flags.DurationVar(&r.timeout, "timeout", 2*time.Second, "the whole request may take `DURATION`")
	flags.StringVar(&r.from, "from", "", "read the report from `FILE`, a JSON object; - is the standard input. Options replace its fields")
	flags.StringVar(&r.key, "idempotency-key", "", "a `KEY` of the event, 1 to 128 printable ASCII characters: the daemon does nothing for a key that it has already answered")
	flags.StringVar(&r.failure, "on-failure", failureError, "if the report fails, print why, and exit with the code of the `KIND` of error (error) or with 0 (ignore). With ignore, a report whose way to end the session is rejected is sent again without it")
	flags.BoolVar(&r.quiet, "quiet", false, "print nothing but errors")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error {
		switch {
		case r.timeout <= 0:
			return fmt.Errorf("--timeout %v is not positive", r.timeout)
		case r.failure != failureError && r.failure != failureIgnore:
			return fmt.Errorf("--on-failure %q: want %s or %s", r.failure, failureError, failureIgnore)
		}
		return nil
	}
	r.fields.add(flags, commonFields)
	cmd.AddCommand(r.verbs()...)
	cli.Complete(cmd, "on-failure", failureError, failureIgnore)
	cli.Complete(cmd, "kind", append(api.Kinds(), "vrrs")...)
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault))
	return cmd
}

func (r *reporter) verbs() []*cobra.Command {
	command := r.verb("command --source NAME [TEXT]", "Report a command that a user typed", sessionCommandHelp, commandFields)
	command.Args = cobra.MaximumNArgs(1)
	command.Example = `  aaasess session command --source bash --user alice --level 15 "ip link set eth0 down"`
	start := r.verb("start --source NAME --session ID", "Report that a session has started", sessionStartHelp, nil)
	start.Example = `  aaasess session start --source pppd --session ppp0 --user alice --address 10.0.0.1 --interface ppp0`
	return []*cobra.Command{
		start,
		r.verb("update --source NAME --session ID", "Report counters, addresses or other news of a session", sessionUpdateHelp, nil),
		r.verb("stop --source NAME --session ID", "Report that a session has ended", sessionStopHelp, stopFields),
		r.verb("fail --source NAME", "Report a login that failed", sessionFailHelp, failFields),
		r.verb("call --source NAME --session ID", "Report the setup or the end of a call", sessionCallHelp, callFields),
		command,
	}
}

// verb returns the command that reports one kind of event.
func (r *reporter) verb(use, short, long string, own []field) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.NoArgs}
	r.fields.add(cmd.Flags(), own)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rep, err := r.report()
		if err == nil && len(args) > 0 {
			rep.Text = api.ValidText(args[0])
		}
		if err == nil && rep.Source == "" {
			err = fmt.Errorf("%w: %s needs --source", cli.ErrUsage, cmd.CommandPath())
		}
		if err != nil {
			return err
		}
		*r.Started = true
		if r.failure == failureIgnore {
			r.sendAnyway(cmd.Context(), cmd.Name(), rep)
			return nil
		}
		return r.send(cmd.Context(), cmd.Name(), rep)
	}
	return cmd
}

// sendAnyway sends a report, and prints why it fails. That a session is recorded is worth more than that
// it can be ended: if the daemon rejects how, the report is sent without it.
func (r *reporter) sendAnyway(ctx context.Context, verb string, rep *localreport.Report) {
	begin := time.Now()
	err := r.send(ctx, verb, rep)
	problem := (*localreport.Problem)(nil)
	if rep.End != nil && errors.As(err, &problem) && strings.HasPrefix(problem.Pointer, "/end") {
		cli.PrintError(r.Err, err)
		rep.End, r.timeout = nil, r.timeout-time.Since(begin)
		err = r.send(ctx, verb, rep)
	}
	if err != nil {
		cli.PrintError(r.Err, err)
	}
}

// report returns the report that the options describe.
func (r *reporter) report() (*localreport.Report, error) {
	rep := &localreport.Report{}
	if r.from != "" {
		if err := r.read(rep); err != nil {
			return nil, fmt.Errorf("%w: --from %s: %w", cli.ErrUsage, r.from, err)
		}
	}
	return rep, r.fields.apply(rep)
}

// read reads the report of --from.
func (r *reporter) read(rep *localreport.Report) error {
	in := r.In
	if r.from != "-" {
		f, err := os.Open(r.from)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, localreport.MaxBody+1))
	if err != nil {
		return err
	}
	if len(b) > localreport.MaxBody {
		return fmt.Errorf("more than %d octets", localreport.MaxBody)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(rep); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}

// encodeReport returns the JSON of a report. The text of a command is cut to what the daemon takes: a user
// cannot escape accounting by a long command.
func encodeReport(rep *localreport.Report) ([]byte, error) {
	for {
		body, err := json.Marshal(rep)
		if err != nil || len(body) <= localreport.MaxBody || rep.Text == "" {
			return body, err
		}
		n := len(rep.Text) / 2
		for n > 0 && !utf8.RuneStart(rep.Text[n]) {
			n--
		}
		rep.Text = rep.Text[:n]
	}
}

// send sends a report, and prints the answer.
func (r *reporter) send(ctx context.Context, verb string, rep *localreport.Report) error {
	body, err := encodeReport(rep)
	if err != nil {
		return err
	}
	socket := cmp.Or(r.socket, r.Getenv("AAASESS_LOCAL_SOCKET"), ReportSocket)
	got, err := localclient.Do(ctx, socket, r.timeout, localclient.Request{Method: http.MethodPost, Path: localreport.Verb(verb).Path(), Key: r.key, Body: body})
	problem := (*localreport.Problem)(nil)
	switch {
	case errors.As(err, &problem) && problem.Status == http.StatusServiceUnavailable, errors.Is(err, localclient.ErrTimeout):
		return fmt.Errorf("%w; %w", err, cli.ErrNotNow)
	case errors.Is(err, localclient.ErrKey):
		return fmt.Errorf("%w: --idempotency-key: %w", cli.ErrUsage, err)
	case err != nil, r.quiet:
		return err
	}
	answer := localreport.Answer{}
	if err := json.Unmarshal(got, &answer); err != nil {
		return fmt.Errorf("%w: %w", localclient.ErrInvalid, err)
	}
	if r.JSON {
		return r.PrintJSON(answer)
	}
	return r.printReported(answer)
}

// printReported prints one line: the ID of the session, and its user. The ID of an event without a
// session is that of its record.
func (r *reporter) printReported(answer localreport.Answer) error {
	s := api.Session{ID: answer.ID}
	if len(answer.Session) > 0 {
		if err := json.Unmarshal(answer.Session, &s); err != nil {
			return fmt.Errorf("%w: %w", localclient.ErrInvalid, err)
		}
	}
	if s.ID == "" {
		return nil
	}
	line := human.Printable(s.ID)
	if s.User != "" {
		line += "  " + human.Printable(s.User)
	}
	_, err := fmt.Fprintln(r.Out, line)
	return err
}
