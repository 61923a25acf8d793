package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/agent/agentx"
	"aaasess/agent/snmp/notify"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
)

// acknowledger answers v2c informs on loopback, if answers, and passes on what arrives.
func acknowledger(t *testing.T, answers bool) (port int, arrived <-chan *gosnmp.SnmpPacket) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	packets := make(chan *gosnmp.SnmpPacket, 100)
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			octets := bytes.Clone(buf[:n])
			p, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c}).SnmpDecodePacket(bytes.Clone(octets))
			if err != nil {
				continue
			}
			packets <- p
			if answers && p.PDUType == gosnmp.InformRequest {
				octets[bytes.Index(octets, []byte("traps"))+len("traps")] = byte(gosnmp.GetResponse) // the rest is that of the request
				_, _ = conn.WriteTo(octets, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).Port, packets
}

// outcomes returns the outcomes of a test notification by target, without the time that they took.
func (l *inProcess) outcomes(req api.TestNotificationRequest) map[string]string {
	l.t.Helper()
	out := map[string]string{}
	for o, err := range l.client().TestNotification(l.t.Context(), req) {
		if err != nil {
			l.t.Fatal(err)
		}
		text := o.Via + " " + o.Outcome
		if o.Error != "" {
			text += ": " + o.Error
		}
		out[o.Target] = text
	}
	return out
}

// TestTestNotification: each target tells its own outcome, and the notification says that it is a test.
func TestTestNotification(t *testing.T) {
	traps, ops := acknowledger(t, false)
	informs, noc := acknowledger(t, true)
	silent, _ := acknowledger(t, false)
	text := with(t, responderConfig(t, traps), "version: v2c, community: traps}]", fmt.Sprintf(`version: v2c, community: traps}
    - {name: noc, address: "127.0.0.1:%d", version: v2c, community: traps, type: inform}
    - {name: silent, address: "127.0.0.1:%d", version: v2c, community: traps, type: inform, timeout: 50ms, retries: 1}
    - {name: nowhere, address: "none.invalid:162", version: v2c, community: traps}]`, informs, silent),
		"notifications: [", "notifications:\n    - ", "traps}]", "traps}")
	l := launch(t, text, environment{})
	got := l.outcomes(api.TestNotificationRequest{Wait: 3})
	nowhere := got["nowhere"]
	delete(got, "nowhere")
	want := map[string]string{
		"here": "trap sent", "noc": "inform acknowledged", "silent": "inform timedOut: no response in 2 attempts",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(nowhere) < 50 || nowhere[:44] != "trap waiting: last error of the target: look" {
		t.Errorf("the target whose name does not resolve: %s", nowhere)
	}
	variables := map[string]any{".1.3.6.1.4.1.8072.2.3.2.1.0": 0, ".1.3.6.1.4.1.8072.2.3.2.2.0": []byte(testText)}
	for who, packets := range map[string]<-chan *gosnmp.SnmpPacket{"here": ops, "noc": noc} {
		<-packets // coldStart: the test has not overtaken it
		select {
		case p := <-packets:
			values := map[string]any{}
			for _, v := range p.Variables[2:] {
				values[v.Name] = v.Value
			}
			if diff := cmp.Diff(variables, values); diff != "" || p.Variables[1].Value != ".1.3.6.1.4.1.8072.2.3.0.1" {
				t.Errorf("%s got %v (-want +got):\n%s", who, p.Variables[1].Value, diff)
			}
		default:
			t.Errorf("%s has got only a coldStart", who)
		}
	}
	one := l.outcomes(api.TestNotificationRequest{Target: "noc"})
	if !maps.Equal(one, map[string]string{"noc": "inform acknowledged"}) {
		t.Errorf("one target: %v", one)
	}
	if _, err := l.d.testNotification(t.Context(), "x"); !errors.Is(err, control.ErrNoTarget) {
		t.Errorf("an unknown target: %v", err)
	}
}

// TestTestNotificationNowhere: without targets and without a master agent there is nothing to test. A
// master agent that is not there gets nothing.
func TestTestNotificationNowhere(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	for _, target := range []string{"", "x"} {
		_, err := l.d.testNotification(t.Context(), target)
		if want := map[string]error{"": control.ErrNoTargets, "x": control.ErrNoTarget}[target]; !errors.Is(err, want) {
			t.Errorf("target %q: %v, want %v", target, err, want)
		}
	}
	l = launch(t, with(t, plainConfig, "snmp: {session-mib-disconnect: true}", "snmp: {agentx: {network: unix, address: none.sock}}"), environment{})
	eventually(t, "the first attempt to connect has failed", func() bool { return l.d.subagent.Stats().Reason != "" })
	if got := l.outcomes(api.TestNotificationRequest{}); len(got) != 1 || len(got[""]) < 25 || got[""][:21] != "agentx notConnected: " {
		t.Errorf("outcomes %v", got)
	}
}

// TestOutcomeNames: each error of a target or the master agent has its outcome.
func TestOutcomeNames(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("notify: %w", err) }
	for _, tt := range []struct {
		err    error
		inform bool
		want   string
	}{
		{nil, false, api.NotificationSent},
		{nil, true, api.NotificationAcknowledged},
		{wrap(notify.ErrNoResponse), true, api.NotificationTimedOut},
		{wrap(notify.ErrQueueFull), true, api.NotificationDropped},
		{wrap(notify.ErrNotSent), true, api.NotificationDropped},
		{wrap(notify.ErrStopped), true, api.NotificationDropped},
		{wrap(notify.ErrTooLarge), false, api.NotificationRefused},
		{&notify.RefusedError{Status: 5}, true, api.NotificationRefused},
	} {
		if got := outcomeOf(tt.err, tt.inform); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
	over, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-over.Done()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, api.NotificationAccepted},
		{wrap(&agentx.RefusedError{}), api.NotificationRefused},
		{wrap(agentx.ErrQueueFull), api.NotificationDropped},
		{wrap(agentx.ErrStopped), api.NotificationDropped},
		{wrap(agentx.ErrDisconnected), api.NotificationNotConnected},
		{wrap(context.Cause(over)), api.NotificationWaiting},
	} {
		if got := masterOutcome(tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}
