package control_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
)

// FuzzAccountingRequests: every answer is one JSON value, every error has a text, and a malformed
// request changes nothing.
func FuzzAccountingRequests(f *testing.F) {
	for _, seed := range [][3]string{
		{"GET", "/v1/server-groups?limit=1&after=isp", ""},
		{"GET", "/v1/server-groups/a%2Fb%3F%2541", ""},
		{"POST", "/v1/server-groups/isp/acct-on", `{"force":true}`},
		{"POST", "/v1/server-groups/isp/acct-off", `{"acctTerminateCause":6}`},
		{"GET", "/v1/acct-on-off-groups", ""},
		{"GET", "/v1/spool/set-aside/7", ""},
		{"GET", "/v1/spool/set-aside?after=3", ""},
		{"POST", "/v1/spool/replay", `{"seqs":[3,4]}`},
		{"POST", "/v1/spool/drop", `{"all":true}`},
		{"POST", "/v1/spool/reroute", `{"queue":"group/gone","list":"network/default"}`},
		{"POST", "/v1/spool/reroute", `{"queue":"group/gone","list":""}`},
		{"GET", "/v1/accounting?line=5&limit=1", ""},
		{"GET", "/v1/accounting?sort=id", ""},
		{"GET", "/v1/accounting/events?group=isp", ""},
		{"GET", "/v1//%zz/%2F", "x"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r, err := http.NewRequest(method, "http://daemon/", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL = u
		a, d, _ := startBooks(t)
		w := httptest.NewRecorder()
		d.Server.ServeHTTP(w, r)
		var answer any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
		problem, _ := answer.(map[string]any)
		switch text, _ := problem["error"].(string); w.Code {
		case 200:
		case 400, 404, 405, 409, 413:
			if text == "" || len(a.Done()) > 0 {
				t.Errorf("%d %q, done %q", w.Code, w.Body, a.Done())
			}
		default:
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}

// TestParts: the parts of a list make up the list, for all names and limits.
func TestParts(t *testing.T) {
	a := books()
	d, _ := start(t, func(cfg *control.Config) { cfg.Accounting = a })
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringN(1, 4, 12), rapid.ID[string]).Draw(t, "names")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		a.OnOff = nil
		for _, name := range names {
			a.OnOff = append(a.OnOff, api.OnOffGroup{Name: name})
		}
		var got []string
		after := ""
		for range len(names) + 1 {
			target := "/v1/acct-on-off-groups?limit=" + fmt.Sprint(limit)
			if after != "" {
				target += "&after=" + url.QueryEscape(after)
			}
			w := httptest.NewRecorder()
			d.Server.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
			var list api.OnOffGroupList
			if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != 200 || len(list.Groups) > limit {
				t.Fatalf("%d %q", w.Code, w.Body)
			}
			for _, group := range list.Groups {
				got = append(got, group.Name)
			}
			if after = list.Next; after == "" {
				break
			}
		}
		slices.Sort(names)
		if diff := cmp.Diff(names, got); diff != "" && len(names)+len(got) > 0 {
			t.Fatal(diff)
		}
	})
}
