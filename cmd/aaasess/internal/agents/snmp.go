package agents

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/snmpmanager"
)

const snmpHelp = `Show and end the sessions of other SNMP agents that serve CISCO-AAA-SESSION-MIB: routers, or
other hosts that run aaasessd. The commands ask the agents themselves, and need no aaasessd here.

HOST is a name or an address, and HOST:PORT or [ADDRESS]:PORT if the port is not 161. Several hosts
are asked at the same time. One that does not answer is reported, and delays no other.

The agents get one of these:

  a community (SNMPv2c)  --community, --community-file or $AAASESS_SNMP_COMMUNITY
  a user (SNMPv3)        --security-name, with --auth and --priv: the protocols, as in
                         aaasess.yaml. Their passwords are the first line of
                         --auth-password-file and --priv-password-file, or
                         $AAASESS_SNMP_AUTH_PASSWORD and $AAASESS_SNMP_PRIV_PASSWORD

$AAASESS_SNMP_SECURITY_NAME, $AAASESS_SNMP_AUTH and $AAASESS_SNMP_PRIV replace the other flags.
All users of this host can read a command line: keep a community that may SET out of it.

A request is sent three times within --timeout. An agent does not answer a community that it does
not know.`

// errHosts is returned when hosts have failed. Their errors are printed before.
var errHosts = errors.New("not all hosts have answered")

// New returns the command "snmp".
func New(g *cli.Global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "snmp", Short: "Show and end the sessions of other SNMP agents", Long: snmpHelp,
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	cmd.AddCommand(newSNMPSessions(g), newSNMPDisconnect(g), newSNMPWatch(g))
	return cmd
}

// snmpFlags are the flags of a command that asks agents.
type snmpFlags struct {
	g   *cli.Global
	cmd *cobra.Command

	community, user, auth, priv               string
	communityFile, authFile, privPasswordFile string

	filter  map[string]*string // user, address and state, by flag
	ids     []string
	numbers []uint
}

// snmpEnvironment is the environment variable that replaces a flag.
var snmpEnvironment = map[string]string{
	"community": "AAASESS_SNMP_COMMUNITY", "security-name": "AAASESS_SNMP_SECURITY_NAME", "auth": "AAASESS_SNMP_AUTH", "priv": "AAASESS_SNMP_PRIV",
	"auth-password-file": "AAASESS_SNMP_AUTH_PASSWORD", "priv-password-file": "AAASESS_SNMP_PRIV_PASSWORD",
}

// addSNMPFlags adds the flags to a command, with --state if withState is set.
func addSNMPFlags(cmd *cobra.Command, g *cli.Global, withState bool) *snmpFlags {
	f := &snmpFlags{g: g, cmd: cmd, filter: map[string]*string{}}
	flags := cmd.Flags()
	flags.StringVarP(&f.community, "community", "c", "", "the `COMMUNITY` of SNMPv2c")
	flags.StringVar(&f.communityFile, "community-file", "", "the community is the first line of `FILE`")
	flags.StringVarP(&f.user, "security-name", "u", "", "the user of SNMPv3 is `NAME`")
	flags.StringVarP(&f.auth, "auth", "a", "", "the `PROTOCOL` of authentication: "+strings.Join(snmpmanager.AuthProtocols(), ", "))
	flags.StringVar(&f.authFile, "auth-password-file", "", "the password of authentication is the first line of `FILE`")
	flags.StringVarP(&f.priv, "priv", "x", "", "the `PROTOCOL` of privacy: "+strings.Join(snmpmanager.PrivProtocols(), ", "))
	flags.StringVar(&f.privPasswordFile, "priv-password-file", "", "the password of privacy is the first line of `FILE`")
	cli.Complete(cmd, "auth", snmpmanager.AuthProtocols()...)
	cli.Complete(cmd, "priv", snmpmanager.PrivProtocols()...)
	for _, name := range []string{"community-file", "auth-password-file", "priv-password-file"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault))
	}
	f.filter["user"] = flags.String("user", "", "sessions whose casnUserId is `NAME`")
	f.filter["address"] = flags.String("address", "", "sessions with `ADDRESS`, or with an address in this prefix")
	if withState {
		f.filter["state"] = flags.String("state", "", "sessions whose state is `STATE`: active or terminating")
		cli.Complete(cmd, "state", snmpmanager.Active, snmpmanager.Terminating)
	}
	flags.StringSliceVar(&f.ids, "id", nil, "the session `ID` (may be repeated)")
	flags.UintSliceVar(&f.numbers, "number", nil, "sessions whose casnSessionId is `N` (may be repeated)")
	flags.Lookup("number").DefValue = "" // else the help says "[]"
	f.suggest("id", func(s *snmpmanager.Session) string { return api.ID(s.Number).String() })
	f.suggest("number", func(s *snmpmanager.Session) string { return strconv.FormatUint(uint64(s.Number), 10) })
	f.suggest("user", func(s *snmpmanager.Session) string { return s.User })
	f.suggest("address", snmpAddress)
	return f
}

// suggest makes shells suggest the values that a field has in the sessions of the hosts that are in
// the command line already.
func (f *snmpFlags) suggest(flag string, field func(*snmpmanager.Session) string) {
	_ = f.cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		targets, err := snmpmanager.ParseTargets(args)
		m, errManager := f.manager()
		if err != nil || errManager != nil {
			return nil, none
		}
		m.Timeout = time.Second
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		var out []string
		seen := map[string]bool{}
		for answer := range m.askAll(ctx, targets, &snmpmanager.Filter{}) {
			for _, s := range answer.Sessions {
				v := field(&s)
				if v == "" || v != human.Printable(v) || seen[v] || len(out) == cli.MaxSuggestions {
					continue
				}
				seen[v] = true
				out = append(out, v)
			}
		}
		return out, none
	})
}

// targets parses the arguments of a command.
func (f *snmpFlags) targets(args []string) ([]snmpmanager.Target, error) {
	targets, err := snmpmanager.ParseTargets(args)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	return targets, nil
}

// query returns the filter that the flags describe.
func (f *snmpFlags) query() (*snmpmanager.Filter, error) {
	var q api.Query
	set := func(key, value string) (err error) {
		if err = q.Set(key, value); err != nil {
			err = fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		return err
	}
	for name, value := range f.filter {
		switch {
		case !f.cmd.Flags().Changed(name):
		case name == "state" && *value != snmpmanager.Active && *value != snmpmanager.Terminating:
			return nil, fmt.Errorf("%w: state %q: want active or terminating", cli.ErrUsage, *value)
		default:
			if err := set(name, *value); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range f.ids {
		if err := set("id", id); err != nil {
			return nil, err
		}
	}
	out := &snmpmanager.Filter{Address: q.Address, State: q.State}
	for _, id := range q.IDs {
		out.Numbers = append(out.Numbers, uint32(id))
	}
	for _, n := range f.numbers {
		if n == 0 || uint64(n) > 1<<32-1 {
			return nil, fmt.Errorf("%w: no session has the number %d", cli.ErrUsage, n)
		}
		out.Numbers = append(out.Numbers, uint32(n))
	}
	if q.User != "" {
		exactly := snmpmanager.IsUser(q.User)
		out.User = func(user string) bool { return exactly(user) || human.Printable(user) == q.User }
	}
	return out, nil
}

// snmpManager asks agents for a command.
type snmpManager struct{ snmpmanager.Manager }

func (m *snmpManager) askAll(ctx context.Context, targets []snmpmanager.Target, filter *snmpmanager.Filter) iter.Seq[snmpmanager.Answer] {
	return snmpmanager.Each(ctx, targets, func(ctx context.Context, t snmpmanager.Target) iter.Seq[snmpmanager.Answer] {
		return snmpmanager.One(m.Ask(ctx, t, filter))
	})
}

// manager returns the manager that the flags and the environment describe.
func (f *snmpFlags) manager() (*snmpManager, error) {
	community, err := f.secret("community", f.community, f.communityFile)
	if err != nil {
		return nil, err
	}
	c := snmpmanager.Credentials{Community: community, User: f.orEnvironment("security-name", f.user)}
	given := f.cmd.Flags().Changed
	switch {
	case given("security-name") && !given("community") && !given("community-file"):
		c.Community = ""
	case (given("community") || given("community-file")) && !given("security-name"):
		c.User = ""
	}
	if c.User != "" {
		c.Auth, c.Priv = f.orEnvironment("auth", f.auth), f.orEnvironment("priv", f.priv)
	} else { // of the environment they belong to its user, which is not used
		c.Auth, c.Priv = f.auth, f.priv
	}
	if c.Auth != "" {
		if c.AuthPassword, err = f.secret("auth-password-file", "", f.authFile); err != nil {
			return nil, err
		}
	}
	if c.Priv != "" {
		if c.PrivPassword, err = f.secret("priv-password-file", "", f.privPasswordFile); err != nil {
			return nil, err
		}
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	return &snmpManager{snmpmanager.Manager{Credentials: c, Timeout: f.g.Timeout}}, nil
}

func (f *snmpFlags) orEnvironment(flag, value string) string {
	return cmp.Or(value, f.g.Getenv(snmpEnvironment[flag]))
}

// secret returns a secret from a flag, a file or the environment.
func (f *snmpFlags) secret(flag, value, file string) (string, error) {
	if value != "" && file != "" {
		return "", fmt.Errorf("%w: --%s and --%s-file exclude each other", cli.ErrUsage, flag, flag)
	}
	if file == "" {
		return f.orEnvironment(flag, value), nil
	}
	*f.g.Started = true // a file that cannot be read is no usage error
	return firstLine(file)
}

// firstLine returns the first line of a file that has a secret.
func firstLine(name string) (string, error) {
	const most = 4096
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) == 0:
		return "", fmt.Errorf("%s: the first line is empty", name)
	case len(line) > most:
		return "", fmt.Errorf("%s: the first line has more than %d octets", name, most)
	}
	return string(line), nil
}

// snmpAddress returns the address of a session; "" for none.
func snmpAddress(s *snmpmanager.Session) string {
	if !s.Address.IsValid() {
		return ""
	}
	return s.Address.String()
}

func snmpState(s *snmpmanager.Session) string {
	if s.Terminating {
		return snmpmanager.Terminating
	}
	return snmpmanager.Active
}

// printHostError reports a host that has failed, at once.
func printHostError(g *cli.Global, t snmpmanager.Target, err error) {
	if g.ShowsProgress() {
		fmt.Fprint(g.Err, cli.EraseLine)
	}
	cli.PrintError(g.Err, fmt.Errorf("%s: %w", t.Name, err))
}

// hostsFailed returns the error for hosts that have failed; nil if failed is 0.
func hostsFailed(failed, all int) error {
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d failed", errHosts, failed, all)
}
