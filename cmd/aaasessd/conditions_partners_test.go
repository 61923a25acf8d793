//go:build partners

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
)

// ownNotifications returns the notifications of AAASESS-MIB that snmptrapd has got, by kind, each as the names and
// values that it prints. Times and sizes are N.
func (r *serversRig) ownNotifications() map[string][]string {
	r.t.Helper()
	all := map[string][]string{}
	for _, line := range r.trapd.Got() {
		parts := strings.Split(line, "|")
		if len(parts) < 4 {
			continue
		}
		name, ok := strings.CutPrefix(parts[2], "SNMPv2-MIB::snmpTrapOID.0 = OID: AAASESS-MIB::")
		if !ok {
			continue // coldStart and nsNotifyStart
		}
		for _, v := range parts[3:] {
			v = strings.TrimPrefix(v, "AAASESS-MIB::")
			variable, value, _ := strings.Cut(v, " = ")
			if object, _, _ := strings.Cut(variable, "."); object == "aaasessSpoolOldest" || object == "aaasessMethodOldest" || object == "aaasessSpoolSize" {
				kind, _, _ := strings.Cut(value, ":")
				value = kind + ": N"
			}
			name += ", " + variable + " = " + value
		}
		all[parts[0]] = append(all[parts[0]], name)
	}
	return all
}

// ownObjects walks AAASESS-MIB by name.
func (r *serversRig) ownObjects(agent string) map[string]string {
	r.t.Helper()
	out, err := r.tool(agent, "snmpwalk", "-OQ", "AAASESS-MIB::aaasessMIB")
	if err != nil {
		r.t.Fatal(out, err)
	}
	all := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		object, isOurs := strings.CutPrefix(name, "AAASESS-MIB::")
		if !ok || !isOurs {
			r.t.Fatalf("snmpwalk prints %s", line)
		}
		all[object] = value
	}
	return all
}

// spool returns what "aaasess show spool" shows.
func (r *serversRig) spool() (s api.SpoolStatus) {
	r.t.Helper()
	out, err := r.aaasess("show", "spool", "--json")
	if err := errors.Join(err, json.Unmarshal([]byte(out), &s)); err != nil {
		r.t.Fatal(out, err)
	}
	return s
}

var anyRecords = regexp.MustCompile(`Gauge32: [1-3] records`)

// TestOwnMIB: during an outage and after it, snmptrapd prints the notifications of AAASESS-MIB by name, of both ways
// out, and snmpwalk the objects by name, which are those of "aaasess show spool" and the same by both agents.
func TestOwnMIB(t *testing.T) {
	r := startServers(t, 1, 0, true)
	r.write(r.text(1) + "thresholds: {spool-records: 3, spool-age: 0s, blocked-after: 1s}\n")
	r.reload("configuration loaded")
	r.started(1)
	eventually(t, "the record is delivered", func() bool { return r.spool().Queues[0].Delivered > 0 })
	r.servers[0].Kill()
	for n := range 3 {
		r.started(n + 2)
	}
	const method = `aaasessMethodState."group radius"`
	bad := func() map[string]string {
		objects := map[string]string{}
		eventually(t, "both agents show the outage", func() bool {
			for _, agent := range r.agents() {
				objects = r.ownObjects(agent)
				if objects["aaasessSpoolState.0"] != "over" || objects[method] != "blocked" || objects[`aaasessMethodServersUp."group radius"`] != "0 servers" {
					return false
				}
			}
			return true
		}, &objects)
		return objects
	}()
	spool := r.spool()
	queue := spool.Queues[slices.IndexFunc(spool.Queues, func(q api.Queue) bool { return q.Queue == "group/radius" })]
	for object, want := range map[string]string{
		"aaasessVerdict.0": "degraded", "aaasessSessions.0": "4 sessions", "aaasessEventState.0": "accepted", "aaasessDiskState.0": "enough",
		"aaasessSpoolRecords.0": fmt.Sprint(queue.Records, " records"), "aaasessSpoolSetAside.0": fmt.Sprint(spool.SetAside, " records"),
		"aaasessDiskMinFree.0": fmt.Sprint(spool.Disk.MinFree>>10, " KiB"), "aaasessDiskWarnFree.0": fmt.Sprint(spool.Disk.WarnFree>>10, " KiB"),
		"aaasessSpoolMaxSize.0": "0 KiB", "aaasessSpoolWarnRecords.0": "3 records", "aaasessSpoolWarnAge.0": "0 seconds",
		`aaasessMethodRecords."group radius"`: fmt.Sprint(queue.Records, " records"), `aaasessMethodProtocol."group radius"`: "radius",
		`aaasessMethodServers."group radius"`: "1 servers", `aaasessMethodReason."group radius"`: "noAnswer",
	} {
		if bad[object] != want {
			t.Errorf("%s is %s, want %s", object, bad[object], want)
		}
	}
	for object, at := range map[string]time.Time{"aaasessSpoolOldest.0": queue.Oldest, `aaasessMethodOldest."group radius"`: queue.Oldest} {
		shown, err := strconv.Atoi(strings.TrimSuffix(bad[object], " seconds"))
		if age := int(time.Since(at) / time.Second); err != nil || shown > age || shown < age-60 {
			t.Errorf("%s is %s, the record is %d s old", object, bad[object], age)
		}
	}
	r.servers[0].Start()
	eventually(t, "all is well", func() bool {
		objects := r.ownObjects(r.addr)
		return objects["aaasessSpoolState.0"] == "normal" && objects[method] == "flowing" && objects["aaasessVerdict.0"] == "ok"
	})
	got := map[string][]string{}
	eventually(t, "all notifications have arrived", func() bool {
		got = r.ownNotifications()
		return !slices.ContainsFunc(kinds, func(kind string) bool { return len(got[kind]) < 4 })
	}, &got)
	const index = `."group radius" = `
	want := []string{
		"aaasessMethodBlocked, " + "aaasessMethodState" + index + "INTEGER: blocked(2), aaasessMethodReason" + index + "INTEGER: noAnswer(2), aaasessMethodRecords" + index + "Gauge32: N records, aaasessMethodOldest" + index + "Gauge32: N",
		"aaasessMethodFlowing, ",
		"aaasessSpoolNormal, ",
		"aaasessSpoolOver, aaasessSpoolState.0 = INTEGER: over(2), aaasessSpoolRecords.0 = Gauge32: 3 records, aaasessSpoolOldest.0 = Gauge32: N, aaasessSpoolSize.0 = Gauge32: N",
	}
	for _, kind := range kinds {
		slices.Sort(got[kind])
		for i, line := range got[kind] {
			if strings.HasPrefix(line, "aaasessMethodBlocked, ") { // those that had arrived a second after the first
				got[kind][i] = anyRecords.ReplaceAllString(line, "Gauge32: N records")
			}
			if i < len(want) && strings.HasSuffix(want[i], ", ") && strings.HasPrefix(line, want[i]) {
				got[kind][i] = want[i]
			}
		}
		if diff := cmp.Diff(want, got[kind]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if len(got) != len(kinds) {
		t.Errorf("notifications of other kinds: %v", got)
	}
}
