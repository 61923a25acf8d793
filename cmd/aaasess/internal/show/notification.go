package show

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const testNotificationHelp = `Send a test notification to the target TARGET of snmp.responder.notifications, or without
TARGET to all targets and through the master agent (snmp.agentx). It takes its turn behind the
notifications that wait already, and is sent, retransmitted and given up like any other.

The notification is netSnmpExampleHeartbeatNotification (NET-SNMP-EXAMPLES-MIB), because it
says nothing of this host. netSnmpExampleHeartbeatName.0 in it says that it is a test.

The command prints a line for each target as soon as it knows the outcome:
  sent           the trap was sent; nobody acknowledges a trap, so this does not say that it has
                 arrived
  acknowledged   the receiver has acknowledged the inform
  accepted       the master agent has accepted the notification, and sends it to its own targets
  timed out      the receiver has answered none of the attempts of the inform
  refused        the receiver or the master agent has answered with an error, the message is too
                 large, or the notify view of the target's user leaves it out
  dropped        the queue of the target is full, or the target was removed meanwhile
  still waits    there is no outcome after --wait, for example because the name of the receiver
                 cannot be resolved; it is sent when that is possible
  not connected  there is no session with the master agent, so it has got nothing

The exit code is 0 if every outcome is sent, acknowledged or accepted; 1 if another one is among
them; and 4 if there is no target TARGET, or neither a target nor a master agent.`

// errNotifications is the error if a test notification has not gone out everywhere.
var errNotifications = errors.New("not all notifications were sent or acknowledged")

// NewTest returns the command "test".
func NewTest(g *cli.Global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "test", Short: "Send a test notification",
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	cmd.AddCommand(newTestNotification(g))
	return cmd
}

func newTestNotification(g *cli.Global) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "notification [TARGET]", Short: "Send a test notification to the receivers of SNMP notifications", Long: testNotificationHelp,
		Example: `  aaasess test notification
  aaasess test notification noc --wait 2m`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("want one TARGET or none, got %s", term.Count(len(args), "argument"))
			}
			return nil
		},
		ValidArgsFunction: suggestTargets(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := api.TestNotificationRequest{Wait: api.InSeconds(wait)}
			switch {
			case wait <= 0 || wait > api.MaxWait:
				return fmt.Errorf("%w: --wait %v: want more than 0, and at most 1h", cli.ErrUsage, wait)
			case len(args) == 1 && args[0] == "":
				return fmt.Errorf("%w: the name is empty", cli.ErrUsage)
			case len(args) == 1:
				req.Target = args[0]
			}
			return testNotification(cmd.Context(), g, req)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", api.DefaultNotificationWait, "wait at most `DURATION` (up to 1h) for the outcomes")
	return cmd
}

func testNotification(ctx context.Context, g *cli.Global, req api.TestNotificationRequest) error {
	outcomes, bad := []api.NotificationOutcome{}, 0
	for o, err := range g.Client().TestNotification(ctx, req) {
		if err != nil {
			return err
		}
		if !o.Good() {
			bad++
		}
		if g.JSON {
			outcomes = append(outcomes, o)
			continue
		}
		if _, err := fmt.Fprintln(g.Out, human.Printable(notificationText(&o))); err != nil {
			return err
		}
	}
	if g.JSON {
		document := struct {
			Outcomes []api.NotificationOutcome `json:"outcomes"`
		}{outcomes}
		if err := g.PrintJSON(document); err != nil {
			return err
		}
	}
	if bad > 0 {
		return errNotifications
	}
	return nil
}

// notificationText describes an outcome in a line.
func notificationText(o *api.NotificationOutcome) string {
	who, what := o.Target+": "+o.Via+" ", ""
	if o.Via == api.ViaAgentX {
		who = "master agent: "
	}
	took := o.Took.Duration().Round(time.Millisecond).String()
	switch o.Outcome {
	case api.NotificationSent:
		what = "sent; nobody acknowledges a trap"
	case api.NotificationAcknowledged:
		what = "acknowledged after " + took
	case api.NotificationAccepted:
		what = "accepted after " + took + "; it sends it to its own targets"
	case api.NotificationTimedOut:
		what = "timed out after " + took
	case api.NotificationWaiting:
		what = "still waits after " + took
	case api.NotificationNotConnected:
		what = "not connected"
	default: // refused, dropped
		what = o.Outcome
	}
	if o.Error != "" {
		what += ": " + o.Error
	}
	return who + what
}

// suggestTargets suggests the names of the targets of notifications.
func suggestTargets(g *cli.Global) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		status, err := g.SuggestClient().Status(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var snmp struct {
			Notifications []struct {
				Name string `json:"name"`
			} `json:"notifications"`
		}
		if json.Unmarshal(status.Sections[api.SNMPSection], &snmp) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, n := range snmp.Notifications {
			if n.Name == human.Printable(n.Name) {
				names = append(names, n.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
