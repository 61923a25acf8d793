package acctcontrol

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/cmd/internal/api"
)

// TestAccepted: S2 "Simultaneously sends accounting records to the first server in each group", and
// which of these groups count ("accounting acknowledge broadcast").
func TestAccepted(t *testing.T) {
	start := time.Date(2001, 6, 27, 7, 0, 0, 0, time.UTC)
	waits := func(name, typ string, minute int) api.ExplainedRecord {
		return api.ExplainedRecord{Record: name, Type: typ, At: start.Add(time.Duration(minute) * time.Minute)}
	}
	aside := waits("set-aside:3", "Start", 0)
	aside.From = "group/b"
	a, b, c := accounting.Group("a"), accounting.Group("b"), accounting.Group("c")
	broadcast := accounting.Route{List: "network/default", Record: accounting.StartStop, Broadcast: true, Methods: []accounting.MethodName{a, b, c}}
	toFirst := broadcast
	toFirst.InterimsToFirst = true
	inTurn := broadcast
	inTurn.Broadcast = false
	atAll := []api.ExplainedRecord{waits("group/a:1", "Start", 0), waits("group/b:7", "Start", 0), waits("group/c:9", "Start", 0), waits("group/c:10", "Stop", 5)}
	for _, tt := range []struct {
		name    string
		route   accounting.Route
		ack     []accounting.MethodName
		waiting []api.ExplainedRecord
		want    api.Acceptance
	}{
		{"by the first method", broadcast, nil, nil, api.Acceptance{All: true, By: []string{"group a"}}},
		{"not yet", broadcast, nil, atAll, api.Acceptance{All: true, By: []string{"group a"}, Missing: 1}},
		{"another method does not count", broadcast, nil, atAll[1:], api.Acceptance{All: true, By: []string{"group a"}}},
		{"by the group that acknowledges", broadcast, []accounting.MethodName{c}, atAll[:2], api.Acceptance{All: true, By: []string{"group c"}}},
		{"not yet by that group", broadcast, []accounting.MethodName{c}, atAll, api.Acceptance{All: true, By: []string{"group c"}, Missing: 2}},
		{"by all, each record once", broadcast, []accounting.MethodName{c, a, b}, atAll, api.Acceptance{All: true, By: []string{"group a", "group b", "group c"}, Missing: 2}},
		{"a group of other lists", broadcast, []accounting.MethodName{"group d"}, nil, api.Acceptance{All: true, By: []string{"group a"}}},
		{"set aside", broadcast, []accounting.MethodName{b}, []api.ExplainedRecord{aside}, api.Acceptance{All: true, By: []string{"group b"}, Missing: 1}},
		{"set aside by a method that does not count", broadcast, nil, []api.ExplainedRecord{aside}, api.Acceptance{All: true, By: []string{"group a"}}},
		{"an interim that only the first method gets", toFirst, []accounting.MethodName{c}, []api.ExplainedRecord{waits("group/a:2", "Interim-Update", 3)}, api.Acceptance{All: true, By: []string{"group c"}, Missing: 1}},
		{"one after the other", inTurn, []accounting.MethodName{c}, []api.ExplainedRecord{waits("group/a:1", "Start", 0), waits("group/a:2", "Stop", 5), aside}, api.Acceptance{By: []string{"group a", "group b", "group c"}, Missing: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := policy.New(&policy.Policy{Acknowledging: tt.ack})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, accepted(plan, tt.route.Text(), tt.waiting)); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
	if got := accepted(&policy.Plan{}, "", nil); got != nil {
		t.Errorf("a session that is not accounted: %+v", got)
	}
}
