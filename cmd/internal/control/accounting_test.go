package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/sessions"
)

// books returns groups of every kind, and five set-aside records, of which 7 is damaged.
func books() *controltest.Accounting {
	a := &controltest.Accounting{
		Groups: []api.ServerGroup{
			{Name: "isp", AcctOnOff: api.AcctOnOff{Enabled: true, State: api.StateOn, Group: "g"}},
			{Name: "a/b?%41", AcctOnOff: api.AcctOnOff{Enabled: true, State: api.StateOff}},
			{Name: "watcher", AcctOnOff: api.AcctOnOff{Enabled: true, MonitorGroup: "g", State: api.StateUnknown}},
			{Name: "plain", AcctOnOff: api.AcctOnOff{State: api.StateUnknown}},
		},
		OnOff:   []api.OnOffGroup{{Name: "z"}, {Name: "g", Controlling: []string{"isp"}, Monitoring: []string{"watcher"}}},
		Managed: api.ManagedServers{Destroyed: []api.ManagedServer{{Protocol: api.RADIUS, Name: "r1"}}},
	}
	e := api.Explanation{Records: []api.ExplainedRecord{{Record: "group/isp:5", Session: "\xff"}}, Complete: true}
	a.Explained = map[string]api.Explanation{"00000007": e, "group/isp:5": e}
	for _, seq := range []uint64{3, 4, 7, 8, 1 << 63} {
		r := api.SetAside{Seq: seq, From: "group/isp", Reason: "nobody\xff", User: "a\x9bl", List: "network/x\xfe", Session: "0000000D"}
		r.Attributes = []api.Attribute{{Name: "User-Name", Value: "a\x9bl"}}
		if seq == 7 {
			r = api.SetAside{Seq: 7, Raw: "00ff"}
		}
		a.Aside = append(a.Aside, r)
	}
	return a
}

// startBooks starts a daemon with books.
func startBooks(t testing.TB) (*controltest.Accounting, *controltest.Daemon, *apiclient.Client) {
	t.Helper()
	a := books()
	d, client := start(t, func(cfg *control.Config) { cfg.Accounting = a })
	return a, d, client
}

func TestAccountingRequests(t *testing.T) {
	const groups, spool = "/v1/server-groups", "/v1/spool"
	tests := []struct {
		name, method, target, body string
		code                       int
		want                       string // of the body
		done                       string // by the Accounting
	}{
		{"first part", "GET", groups + "?limit=2", "", 200, `"next":"isp"`, ""},
		{"next part", "GET", groups + "?limit=2&after=isp", "", 200, `{"groups":[{"name":"plain"`, ""},
		{"behind the end", "GET", groups + "?after=zzz", "", 200, `{"groups":[]}`, ""},
		{"one", "GET", groups + "/isp", "", 200, `{"name":"isp"`, ""},
		{"one with an escaped name", "GET", groups + "/a%2Fb%3F%2541", "", 200, `{"name":"a/b?%41"`, ""},
		{"the same as three segments", "GET", groups + "/a/b", "", 404, "no such path", ""},
		{"no such group", "GET", groups + "/x%1by", "", 404, `no such server group: \"x\\x1by\"`, ""},
		{"empty name", "GET", groups + "/", "", 404, "no such path", ""},
		{"a name of dots, escaped", "GET", groups + "/%2E%2E", "", 404, `no such server group: \"..\"`, ""},
		{"parameters of one", "GET", groups + "/isp?x", "", 400, "has no parameters", ""},
		{"limit 0", "GET", groups + "?limit=0", "", 400, `limit \"0\": want 1 to 1000`, ""},
		{"limit too large", "GET", groups + "?limit=1001", "", 400, ": want 1 to 1000", ""},
		{"limit no number", "GET", spool + "/set-aside?limit=-1", "", 400, ": want 1 to 1000", ""},
		{"parameter twice", "GET", groups + "?after=a&after=b", "", 400, "want one value", ""},
		{"parameter empty", "GET", groups + "?after=", "", 400, "want one value", ""},
		{"parameter unknown", "GET", groups + "?name=a", "", 400, `unknown parameter \"name\"`, ""},
		{"parameter escapes", "GET", groups + "?after=%zz", "", 400, "invalid URL escape", ""},
		{"method", "POST", groups, "", 405, "want GET", ""},
		{"servers that managers have changed", "GET", "/v1/managed-servers", "", 200, `{"created":[],"destroyed":[{"protocol":"radius","name":"r1"}],"givenUp":[]}`, ""},
		{"parameters of managed-servers", "GET", "/v1/managed-servers?limit=1", "", 400, "has no parameters", ""},
		{"groups of acct-on-off", "GET", "/v1/acct-on-off-groups?limit=1", "", 200, `{"groups":[{"name":"g","description":"","controlling":["isp"],"monitoring":["watcher"]}],"next":"g"}`, ""},
		{"groups of acct-on-off wrongly", "GET", "/v1/acct-on-off-groups?x=y", "", 400, "unknown parameter", ""},
		{"below those", "GET", "/v1/acct-on-off-groups/g", "", 404, "no such path", ""},

		{"on, acknowledged", "POST", groups + "/isp/acct-on", "", 409, `server group \"isp\": already acknowledged; --force sends another one`, ""},
		{"on, forced", "POST", groups + "/isp/acct-on", `{"force":true}`, 200, `"state":"sendAcctOn"`, "acct-on isp force"},
		{"off", "POST", groups + "/isp/acct-off", `{"acctTerminateCause":6}`, 200, `"state":"sendAcctOff"`, "acct-off isp 6"},
		{"on, escaped", "POST", groups + "/a%2Fb%3F%2541/acct-on", "{}", 200, `"name":"a/b?%41"`, "acct-on a/b?%41"},
		{"on of none", "POST", groups + "/none/acct-on", "", 404, "no such server group", ""},
		{"on of one without", "POST", groups + "/plain/acct-on", "", 409, "sends neither Accounting-On nor", ""},
		{"on of one that monitors", "POST", groups + "/watcher/acct-on", "", 409, "sends neither Accounting-On nor", ""},
		{"on with a cause", "POST", groups + "/isp/acct-on", `{"acctTerminateCause":6}`, 400, "has no acctTerminateCause", ""},
		{"cause too large", "POST", groups + "/isp/acct-off", `{"acctTerminateCause":4294967296}`, 400, "acctTerminateCause: unexpected number", ""},
		{"unknown field", "POST", groups + "/isp/acct-off", `{"group":"x"}`, 400, "unknown field", ""},
		{"perform with parameters", "POST", groups + "/isp/acct-off?force=1", "", 400, "has no parameters", ""},
		{"perform something else", "POST", groups + "/isp/reboot", "", 404, "no such path", ""},
		{"perform with GET", "GET", groups + "/isp/acct-on", "", 405, "want POST", ""},
		{"perform, too large", "POST", groups + "/isp/acct-on", strings.Repeat(" ", 1<<20+1), 413, "too large", ""},

		{"spool", "GET", spool, "", 200, `"queues":[],"setAside":5`, ""},
		{"spool with parameters", "GET", spool + "?x=y", "", 400, "has no parameters", ""},
		{"list", "GET", spool + "/set-aside?limit=1", "", 200, `{"records":[{"seq":3,"from":"group/isp","at":"0001-01-01T00:00:00Z","reason":"nobody\\xff","session":"0000000D","type":"","list":"network/x\\xfe","user":"a\\x9bl"}],"next":3}`, ""},
		{"list to the end", "GET", spool + "/set-aside?after=8&limit=1", "", 200, `"seq":9223372036854775808,`, ""},
		{"list behind the end", "GET", spool + "/set-aside?after=18446744073709551615", "", 200, `{"records":[]}`, ""},
		{"list after no number", "GET", spool + "/set-aside?after=x", "", 400, `\"x\" is not a record number`, ""},
		{"record", "GET", spool + "/set-aside/4", "", 200, `"attributes":[{"name":"User-Name","value":"a\\x9bl"}]}`, ""},
		{"record that is damaged", "GET", spool + "/set-aside/7", "", 200, `"raw":"00ff"`, ""},
		{"no such record", "GET", spool + "/set-aside/5", "", 404, "record 5: not set aside", ""},
		{"no number", "GET", spool + "/set-aside/-5", "", 400, "not a record number", ""},
		{"record with parameters", "GET", spool + "/set-aside/4?x=y", "", 400, "has no parameters", ""},
		{"below a record", "GET", spool + "/set-aside/4/x", "", 404, "no such path", ""},

		{"replay", "POST", spool + "/replay", `{"seqs":[8,3,8]}`, 200, `{"records":2}`, "replay 3 8"},
		{"replay all", "POST", spool + "/replay", `{"all":true}`, 200, `{"records":4}`, "replay all"},
		{"replay of none", "POST", spool + "/replay", `{"seqs":[3,5]}`, 404, "record 5", ""},
		{"replay of a damaged one", "POST", spool + "/replay", `{"seqs":[3,7]}`, 409, "damaged", ""},
		{"replay what", "POST", spool + "/replay", `{}`, 400, "want exactly one of seqs and all", ""},
		{"replay both", "POST", spool + "/replay", `{"seqs":[3],"all":true}`, 400, "want exactly one of seqs and all", ""},
		{"replay without a body", "POST", spool + "/replay", "", 400, "EOF", ""},
		{"replay a negative one", "POST", spool + "/replay", `{"seqs":[-3]}`, 400, "seqs: unexpected number -3", ""},
		{"replay too many", "POST", spool + "/replay", `{"seqs":[1` + strings.Repeat(",1", 10000) + `]}`, 400, "10001 seqs: want at most 10000", ""},
		{"replay with parameters", "POST", spool + "/replay?all", `{"all":true}`, 400, "has no parameters", ""},
		{"drop", "POST", spool + "/drop", `{"seqs":[7]}`, 200, `{"records":1}`, "drop 7"},
		{"drop all", "POST", spool + "/drop", `{"all":true}`, 200, `{"records":5}`, "drop all"},
		{"drop of none", "POST", spool + "/drop", `{"seqs":[5]}`, 404, "record 5", ""},
		{"drop, misspelt", "POST", spool + "/drop", `{"seqs":[3],"except":[4]}`, 400, "unknown field", ""},
		{"forget damage", "POST", spool + "/forget-damage", "", 200, `{"entries":0}`, "forget-damage"},
		{"forget damage with parameters", "POST", spool + "/forget-damage?x", "", 400, "has no parameters", ""},
		{"forget damage with GET", "GET", spool + "/forget-damage", "", 405, "want POST", ""},
		{"drop with GET", "GET", spool + "/drop", "", 405, "want POST", ""},

		{"explain a session", "GET", "/v1/explain/0x7", "", 200, `"records":[{"record":"group/isp:5","session":"\\xff"`, ""},
		{"explain a record", "GET", "/v1/explain/group%2Fisp:5", "", 200, `"complete":true`, ""},
		{"explain no session", "GET", "/v1/explain/00000008", "", 404, "session 00000008: not live, and no record of it waits", ""},
		{"explain no record", "GET", "/v1/explain/group%2Fisp:6", "", 404, "record group/isp:6: does not wait: it was delivered, dropped or never made", ""},
		{"explain neither", "GET", "/v1/explain/S1", "", 400, `\"S1\" is neither a session ID, such as 0000000D, nor the name of a record`, ""},
		{"explain with parameters", "GET", "/v1/explain/00000008?x", "", 400, "has no parameters", ""},
		{"explain as three segments", "GET", "/v1/explain/group/isp:5", "", 404, "no such path", ""},
		{"explain with POST", "POST", "/v1/explain/00000007", "", 405, "want GET", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, d, _ := startBooks(t)
			code, body := ask(t, d.Socket, tt.method, tt.target, tt.body)
			if code != tt.code || !strings.Contains(body, tt.want) || !json.Valid([]byte(body)) {
				t.Errorf("%d %s; want %d with %s", code, body, tt.code, tt.want)
			}
			if code != 200 && !strings.HasPrefix(body, `{"error":"`) {
				t.Errorf("body %q", body)
			}
			if got := strings.Join(a.Done(), "\n"); got != tt.done {
				t.Errorf("%q was done, want %q", got, tt.done)
			}
		})
	}
}

// TestNoAccounting: a daemon without an Accounting answers its paths with 404 and says why.
func TestNoAccounting(t *testing.T) {
	d, _ := start(t, nil)
	for target, want := range map[string]string{
		"GET /v1/server-groups":              "no server groups and no spool",
		"GET /v1/server-groups/isp":          "no server groups and no spool",
		"POST /v1/server-groups/isp/acct-on": "no server groups and no spool",
		"GET /v1/acct-on-off-groups":         "no server groups and no spool",
		"GET /v1/managed-servers":            "no server groups and no spool",
		"GET /v1/spool":                      "no server groups and no spool",
		"GET /v1/spool/set-aside/1":          "no server groups and no spool",
		"POST /v1/spool/drop":                "no server groups and no spool",
		"GET /v1/spool/others":               "no such path",
		"GET /v1/":                           "no such path",
		"GET /v1":                            "no such path",
		"GET /v1//":                          "no such path",
	} {
		method, path, _ := strings.Cut(target, " ")
		if code, body := ask(t, d.Socket, method, path, ""); code != 404 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", target, code, body)
		}
	}
}

// TestAccountingClient tests the client's methods, with lists of several parts.
func TestAccountingClient(t *testing.T) {
	a := books()
	for i := range 2100 {
		a.Groups = append(a.Groups, api.ServerGroup{Name: fmt.Sprintf("group-%04d", i)})
		a.OnOff = append(a.OnOff, api.OnOffGroup{Name: fmt.Sprintf("group-%04d", i)})
	}
	_, client := start(t, func(cfg *control.Config) { cfg.Accounting = a })
	ctx := t.Context()
	groups, err := client.ServerGroups(ctx)
	if err != nil || len(groups) != 2104 || groups[0].Name != "a/b?%41" || groups[2103].Name != "watcher" || groups[1001].Name != "group-1000" {
		t.Errorf("%d groups, %v", len(groups), err)
	}
	onOff, err := client.OnOffGroups(ctx)
	if err != nil || len(onOff) != 2102 || onOff[2101].Name != "z" {
		t.Errorf("%d groups, %v", len(onOff), err)
	}
	if managed, err := client.ManagedServers(ctx); err != nil || len(managed.Destroyed) != 1 {
		t.Errorf("%+v, %v", managed, err)
	}
	group, err := client.Perform(ctx, api.PerformRequest{Group: "a/b?%41", Action: api.AcctOff, Force: true, AcctTerminateCause: 1<<32 - 1})
	if err != nil || group.AcctOnOff.State != api.SendAcctOff {
		t.Errorf("%+v %v", group, err)
	}
	if group, err = client.ServerGroup(ctx, "a/b?%41"); err != nil || group.AcctOnOff.State != api.SendAcctOff {
		t.Errorf("%+v %v", group, err)
	}
	_, err = client.Perform(ctx, api.PerformRequest{Group: "isp", Action: api.AcctOn})
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != 409 || !strings.Contains(refused.Text, control.ErrAcknowledged.Error()) {
		t.Error(err)
	}
	list, err := client.SetAside(ctx, 0, 2)
	if err != nil || len(list.Records) != 2 || list.Next != 4 {
		t.Errorf("%+v %v", list, err)
	}
	if list, err = client.SetAside(ctx, list.Next, 3); err != nil || len(list.Records) != 3 || list.Records[2].Seq != 1<<63 || list.Next != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if record, err := client.SetAsideRecord(ctx, 1<<63); err != nil || record.Seq != 1<<63 || len(record.Attributes) != 1 {
		t.Errorf("%+v %v", record, err)
	}
	if n, err := client.Replay(ctx, api.RecordsRequest{Seqs: []uint64{3}}); err != nil || n != 1 {
		t.Error(n, err)
	}
	if status, err := client.Spool(ctx); err != nil || status.SetAside != 4 {
		t.Errorf("%+v %v", status, err)
	}
	if n, err := client.Drop(ctx, api.RecordsRequest{All: true}); err != nil || n != 4 {
		t.Error(n, err)
	}
	want := []string{"acct-off a/b?%41 force 4294967295", "replay 3", "drop all"}
	if diff := cmp.Diff(want, a.Done()); diff != "" {
		t.Error(diff)
	}
}

// TestAccountingFails: another error is answered with 503, and says how many records were changed
// before.
func TestAccountingFails(t *testing.T) {
	a := books()
	a.Full = 2
	d, _ := start(t, func(cfg *control.Config) { cfg.Accounting = a })
	code, body := ask(t, d.Socket, "POST", "/v1/spool/drop", `{"all":true}`)
	if want := `{"error":"no space; 2 records were already dropped"}` + "\n"; code != 503 || body != want {
		t.Errorf("%d %s", code, body)
	}
}

// TestPerformEndsWithTheDaemon: the end of the daemon cancels the context of a Perform.
func TestPerformEndsWithTheDaemon(t *testing.T) {
	a := books()
	entered, outcome := make(chan struct{}), make(chan string, 1)
	a.Hold, a.Entered = map[string]bool{"isp": true}, func() { close(entered) }
	d, err := controltest.Start(folder(t), func(cfg *control.Config) { cfg.Accounting = a })
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := apiclient.New(d.Socket, 5*time.Second).Perform(t.Context(), api.PerformRequest{Group: "isp", Action: api.AcctOn})
		outcome <- fmt.Sprint(err)
	}()
	<-entered
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got := <-outcome; got != "the daemon is ending" {
		t.Error(got)
	}
}

// TestLogSaysWhoPerformed: the log has the user of each request that changes something.
func TestLogSaysWhoPerformed(t *testing.T) {
	lines := make(logLines, 16)
	a := books()
	_, client := start(t, func(cfg *control.Config) {
		cfg.Accounting, cfg.Logger = a, slog.New(slog.NewTextHandler(lines, nil))
	})
	_, err := client.Perform(t.Context(), api.PerformRequest{Group: "isp", Action: api.AcctOff})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Drop(t.Context(), api.RecordsRequest{Seqs: []uint64{3}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`msg="control socket is open"`,
		fmt.Sprintf(`msg="accounting on or off by command" uid=%d group=isp action=acct-off force=false`, os.Getuid()),
		fmt.Sprintf(`msg="set-aside records changed by command" uid=%d done=dropped records=1`, os.Getuid()),
	} {
		if line := <-lines; !strings.Contains(line, want) {
			t.Errorf("%s; want %s", line, want)
		}
	}
}

// TestExplainCall: a live call is explained, although it is no row.
func TestExplainCall(t *testing.T) {
	a, d, client := startBooks(t)
	a.Explained["00000001"] = api.Explanation{}
	begin(t, d, "", time.Now(), func(ev *sessions.Event) { ev.Kind = sessions.Resource })
	e, err := client.Explain(t.Context(), "00000001")
	if err != nil || e.Session == nil || e.Session.Kind != "resource" {
		t.Errorf("%+v, %v", e, err)
	}
}
