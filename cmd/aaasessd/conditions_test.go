package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/aaasessd/internal/conditions"
	"aaasess/cmd/internal/api"
	"aaasess/mib"
	"aaasess/mib/aaasess"
)

// conditionsConfig is statesConfig with thresholds, and enterprise number 7.
func conditionsConfig(t *testing.T, u *upstream, a *masterAgent, informs int) string {
	t.Helper()
	return with(t, statesConfig(t, u, a, informs), "snmp:\n", "thresholds: {spool-records: 2, blocked-after: 1s}\nsnmp:\n  enterprise-number: 7\n")
}

// told is a receiver of notifications of ours, at a target and through the master agent.
type told struct {
	t       *testing.T
	informs <-chan *gosnmp.SnmpPacket
	master  <-chan []mib.Varbind
}

// next returns the number of the next notification of AAASESS-MIB and its values. Both ways out must have the
// same. It is a failure if there is none in time.
func (r *told) next() (number string, values []int) {
	r.t.Helper()
	const root = ".1.3.6.1.4.1.7.1.0."
	for {
		var own *gosnmp.SnmpPacket
		eventually(r.t, "a notification comes", func() bool {
			select {
			case own = <-r.informs:
				return true
			default:
				return false
			}
		})
		id, _ := own.Variables[1].Value.(string)
		if !strings.HasPrefix(id, root) {
			continue // coldStart
		}
		passed := <-r.master
		if passed[0].Value.OID.String() != id {
			r.t.Fatalf("our target gets %s, the master agent %v", id, passed[0].Value.OID)
		}
		for i, v := range own.Variables[2:] {
			n := gosnmp.ToBigInt(v.Value).Uint64()
			if other := passed[i+1]; other.Name.String() != v.Name || other.Value.Num != n {
				r.t.Fatalf("our target gets %s = %d, the master agent %v", v.Name, n, other)
			}
			values = append(values, int(n))
		}
		return strings.TrimPrefix(id, root), values
	}
}

// want checks the next notifications: each is its number and its first values.
func (r *told) want(list ...string) {
	r.t.Helper()
	for _, want := range list {
		number, values := r.next()
		if got := strings.Trim(fmt.Sprint(number, " ", values[:2]), "[]"); strings.ReplaceAll(got, "[", "") != want {
			r.t.Errorf("notification %s, want %s", got, want)
		}
	}
}

// TestConditions: a group is blocked and the spool is over its threshold; both are told, shown by the status
// and by AAASESS-MIB, and so is their end. A restart between does not tell them again.
func TestConditions(t *testing.T) {
	u, master := listen(t, "127.0.0.1:0"), newMasterAgent(t)
	port, informs := acknowledger(t, true)
	l := launch(t, conditionsConfig(t, u, master, port), environment{})
	<-master.sessions
	r := &told{t, informs, master.notified}
	u.setSilent(true)
	l.mustAccount(packet(acctStart, "S1", "alice"))
	r.want("7 2 2") // aaasessMethodBlocked: blocked(2), noAnswer(2)
	l.mustAccount(packet(acctStart, "S2", "bob"))
	r.want("1 2 2") // aaasessSpoolOver: over(2), 2 records
	var reasons []string
	reason := func(text string) bool {
		status, err := l.client().Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		reasons = status.Reasons
		return slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, text) })
	}
	eventually(t, "the status has the reason", func() bool {
		return reason("the spool is over its threshold; waiting records: 2, the oldest of ")
	}, &reasons)
	method := func(column uint32) string {
		return mib.MustOID("1.3.6.1.4.1.7.1.1.4.1").Append(column, 9, 'g', 'r', 'o', 'u', 'p', ' ', 'i', 's', 'p').String()
	}
	var values []string
	shows := func(want ...string) func() bool {
		return func() bool {
			names := []string{
				".1.3.6.1.4.1.7.1.1.1.3.0", ".1.3.6.1.4.1.7.1.1.3.1.0", ".1.3.6.1.4.1.7.1.1.3.2.0",
				method(2), method(3), method(4), method(5), method(7), method(9),
			}
			answer, err := l.manager(nil).Get(names)
			if err != nil {
				t.Fatal(err)
			}
			values = nil
			for _, v := range answer.Variables {
				values = append(values, fmt.Sprint(v.Value))
			}
			return slices.Equal(values, want)
		}
	}
	// degraded(2), over(2), 2 records; radius(2), 1 server, none up, 2 records, blocked(2), noAnswer(2)
	eventually(t, "the module shows it", shows("2", "2", "2", "2", "1", "0", "2", "2", "2"), &values)
	if b := l.d.blocked(); !b.Groups["isp"] || !b.Queues["group/isp"] {
		t.Errorf("the page shows %v", b)
	}

	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	<-master.sessions
	r.master = master.notified
	if s := l.d.conditions.States(); !s.Spool || s.Methods["group isp"].Reason == aaasess.Flowing {
		t.Errorf("after the restart: %+v", s)
	}
	u.setSilent(false)
	kinds := []string{}
	for range 2 {
		number, values := r.next()
		kinds = append(kinds, fmt.Sprint(number, " ", values[0]))
	}
	slices.Sort(kinds)
	if want := []string{"2 1", "8 1"}; !slices.Equal(kinds, want) { // aaasessSpoolNormal, aaasessMethodFlowing
		t.Errorf("after the outage %q are told, want %q", kinds, want)
	}
	eventually(t, "all is well", func() bool { return !reason("") }, &reasons)
	eventually(t, "the module shows it", shows("1", "1", "0", "2", "1", "1", "0", "1", "1"), &values)
	if b := l.d.blocked(); b.Groups["isp"] || b.Queues["group/isp"] {
		t.Errorf("the page shows %v", b)
	}
	if len(informs) > 0 || len(master.notified) > 0 {
		t.Errorf("more is told: %d, %d", len(informs), len(master.notified))
	}
}

// TestConditionReasons: the parts of the reasons that depend on the conditions.
func TestConditionReasons(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	queues := []api.Queue{{Queue: "local", Configured: true, Records: 3}}
	if got := spoolReason(queues); got != "the spool is over its threshold; waiting records: 3 (show spool)" {
		t.Errorf("reason %q", got)
	}
	states := &conditions.States{Methods: map[string]conditions.MethodState{
		"local": {Reason: aaasess.NotMoving}, "group a": {Reason: aaasess.NoLoginAnswer}, "group b": {Reason: aaasess.Flowing},
	}}
	for queue, want := range map[string]bool{"local": true, "group/a": false, "group/b": false, "group/c": false} {
		if _, got := blockedSince(states, queue); got != want {
			t.Errorf("%s is blocked: %v", queue, got)
		}
	}
	if got := l.d.reasons(); len(got) > 0 {
		t.Errorf("reasons %q", got)
	}
}
