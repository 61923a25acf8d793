package control_test

import (
	"encoding/json"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

func TestResyncRequests(t *testing.T) {
	const target = "/v1/server-groups/isp/resync"
	for name, tt := range map[string]struct {
		method, target, body string
		had                  string // state of the resync before
		code                 int
		want                 string // of the body
		done                 string // by the Accounting
	}{
		"begun":                {"POST", target + "/begin", `{"type":"start","rate":5}`, "", 200, `"state":"running","type":"start","rate":5`, "resync isp start 5"},
		"defaults":             {"POST", target + "/begin", "", "", 200, `"type":"interim","rate":1000`, "resync isp interim 1000"},
		"one runs":             {"POST", target + "/begin", "{}", "running", 409, `server group \"isp\": a resync is running`, ""},
		"of no group":          {"POST", "/v1/server-groups/x/resync/begin", "{}", "", 404, "no such server group", ""},
		"type":                 {"POST", target + "/begin", `{"type":"stop"}`, "", 400, `body: type \"stop\": want interim or start`, ""},
		"rate":                 {"POST", target + "/begin", `{"rate":100001}`, "", 400, "body: rate 100001: want 1 to 100000", ""},
		"unknown field":        {"POST", target + "/begin", `{"all":true}`, "", 400, "unknown field", ""},
		"too large":            {"POST", target + "/begin", strings.Repeat(" ", 1<<20+1), "", 413, "too large", ""},
		"begun with GET":       {"GET", target + "/begin", "", "", 405, "want POST", ""},
		"begun with parameter": {"POST", target + "/begin?rate=5", "", "", 400, "has no parameters", ""},
		"shown":                {"GET", target, "", "done", 200, `"leftOut":{"elsewhere":0,"stopOnly":0,"fallback":0,"nullUsername":0}`, ""},
		"shown, none":          {"GET", target, "", "", 404, `server group \"isp\": no resync was begun`, ""},
		"shown with parameter": {"GET", target + "?x=y", "", "done", 400, "has no parameters", ""},
		"shown with POST":      {"POST", target, "", "done", 405, "want GET", ""},
		"canceled":             {"POST", target + "/cancel", "", "running", 200, `"state":"canceled"`, "cancel resync isp"},
		"canceled, over":       {"POST", target + "/cancel", "", "done", 409, "no resync is running", ""},
		"canceled, none":       {"POST", target + "/cancel", "", "", 404, "no resync was begun", ""},
		"canceled with param":  {"POST", target + "/cancel?x=y", "", "running", 400, "has no parameters", ""},
		"below":                {"POST", target + "/stop", "", "", 404, "no such path", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &controltest.Accounting{Groups: []api.ServerGroup{{Name: "isp"}}}
			if tt.had != "" {
				a.Resyncs = map[string]api.Resync{"isp": {Group: "isp", State: tt.had, Total: 9}}
			}
			d, _ := start(t, func(cfg *control.Config) { cfg.Accounting = a })
			code, body := ask(t, d.Socket, tt.method, tt.target, tt.body)
			if code != tt.code || !strings.Contains(body, tt.want) || !json.Valid([]byte(body)) {
				t.Errorf("%d %s; want %d with %s", code, body, tt.code, tt.want)
			}
			if got := strings.Join(a.Done(), "\n"); got != tt.done {
				t.Errorf("%q was done, want %q", got, tt.done)
			}
		})
	}
}
