package local

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	localreport "aaasess/sessions/local/report"
)

// TestRejected: each fault of a report is a problem that points to it, and changes nothing.
func TestRejected(t *testing.T) {
	long := strings.Repeat("x", 254)
	tests := []struct {
		name, body, pointer, detail string
		verb                        localreport.Verb
	}{
		{"nothing", ``, "", "is not JSON", localreport.Start},
		{"half a body", `{"source":"a","ses`, "", "is not JSON", localreport.Start},
		{"a list", `[]`, "", "has another type, or is out of range", localreport.Start},
		{"two values", `{"source":"a","session":"b"}{}`, "", "is not JSON", localreport.Start},
		{"unknown member", `{"source":"a","session":"b","usr":"c"}`, "/usr", "is no member of a report", localreport.Start},
		{"unknown member inside", `{"source":"a","session":"b","attributes":[{"nam":"x"}]}`, "/attributes/0/nam", "is no member of a report", localreport.Start},
		{"another case", `{"Source":"a"}`, "/Source", "is no member of a report", localreport.Start},
		{"twice", `{"source":"a","source":"b"}`, "/source", "occurs twice", localreport.Start},
		{"not UTF-8", "{\"source\":\"a\",\"session\":\"b\",\"user\":\"m\xffx\"}", "/user", "is not valid UTF-8", localreport.Start},
		{"a name that is not UTF-8", "{\"sou\xffrce\":1}", "", "is not valid UTF-8", localreport.Start},
		{"half a surrogate", `{"source":"a","session":"b","user":"\ud800"}`, "/user", "is not JSON", localreport.Start},
		{"a number as text", `{"source":"a","session":7}`, "/session", "has another type, or is out of range", localreport.Start},
		{"too large a number", `{"source":"a","session":"b","nasPort":4294967296}`, "/nasPort", "has another type, or is out of range", localreport.Start},
		{"negative octets", `{"source":"a","session":"b","inputOctets":-1}`, "/inputOctets", "has another type, or is out of range", localreport.Update},
		{"no source", `{"session":"b"}`, "/source", "must have 1 to 32", localreport.Start},
		{"a source that is no name", `{"source":"Open VPN","session":"b"}`, "/source", "must have 1 to 32", localreport.Start},
		{"no session", `{"source":"a"}`, "/session", "must have 1 to 200 octets", localreport.Start},
		{"a long session", `{"source":"a","session":"` + long + `"}`, "/session", "must have 1 to 200 octets", localreport.Start},
		{"a control character", `{"source":"a","session":"b\n"}`, "/session", "has a control character", localreport.Start},
		{"a long user", `{"source":"a","session":"b","user":"` + long + `"}`, "/user", "has 254 octets, more than 253", localreport.Start},
		{"another kind", `{"source":"a","session":"b","kind":"resource"}`, "/kind", "is not one of network, exec, connection", localreport.Start},
		{"a kind of call", `{"source":"a","session":"b","kind":"exec"}`, "/kind", "a call has no kind", localreport.Call},
		{"a kind of command", `{"source":"a","session":"b","kind":"exec","text":"ls"}`, "/kind", "a command has no kind", localreport.Command},
		{"no address", `{"source":"a","session":"b","address":"10.0.0.256"}`, "/address", "is not an IPv4 address", localreport.Start},
		{"IPv6 there", `{"source":"a","session":"b","address":"::1"}`, "/address", "is not an IPv4 address", localreport.Start},
		{"IPv4 there", `{"source":"a","session":"b","ipv6Addresses":["::1","10.0.0.1"]}`, "/ipv6Addresses/1", "is not an IPv6 address", localreport.Start},
		{"host bits", `{"source":"a","session":"b","ipv6Prefixes":["2001:db8::1/64"]}`, "/ipv6Prefixes/0", "is not an IPv6 prefix", localreport.Start},
		{"no prefix", `{"source":"a","session":"b","delegatedPrefixes":["x"]}`, "/delegatedPrefixes/0", "is not an IPv6 prefix", localreport.Start},
		{"before 1970", `{"source":"a","session":"b","at":"1960-01-01T00:00:00Z"}`, "/at", "is not between 1970 and 2106", localreport.Start},
		{"no time", `{"source":"a","session":"b","at":"noon"}`, "/at", "has another type, or is out of range", localreport.Start},
		{"parent without service", `{"source":"a","session":"b","parentSession":"c"}`, "/parentSession", "needs a service", localreport.Start},
		{"unknown attribute", `{"source":"a","session":"b","attributes":[{"name":"X","value":"1"}]}`, "/attributes/0", "unknown attribute name", localreport.Start},
		{"an attribute that is ours", `{"source":"a","session":"b","attributes":[{"name":"Acct-Session-Id","value":"1"}]}`, "/attributes/0", "has a member of its own", localreport.Start},
		{"a cause", `{"source":"a","session":"b","terminateCause":"Boredom"}`, "/terminateCause", "is neither a number nor the name", localreport.Stop},
		{"a level", `{"source":"a","session":"b","level":16,"text":"ls"}`, "/level", "is not between 0 and 15", localreport.Command},
		{"no command", `{"source":"a","session":"b","text":" "}`, "/text", "is empty", localreport.Command},
		{"too many attributes", `{"source":"a","session":"b","attributes":[` + strings.TrimSuffix(strings.Repeat(`{"name":"Class","value":"0x`+strings.Repeat("00", 250)+`"},`, 20), ",") + `]}`, "/attributes", "more than 3500", localreport.Start},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			r := w.report(ann, tt.verb, tt.body)
			if r.Code != http.StatusBadRequest || r.problem.Pointer != tt.pointer || !strings.Contains(r.problem.Detail, tt.detail) || strings.Contains(r.Body.String(), "\xff") {
				t.Errorf("%d %s, want pointer %q and %q", r.Code, r.Body, tt.pointer, tt.detail)
			}
			w.wantAccounted()
		})
	}
}

// TestMembersOfOtherVerbs: a member that the verb does not use is refused, not ignored.
func TestMembersOfOtherVerbs(t *testing.T) {
	members := map[string]string{
		"terminateCause": `"Lost-Carrier"`, "accepted": `true`, "stop": `true`, "level": `1`, "text": `"ls"`, "inputOctets": `1`, "sessionTime": `1`,
	}
	uses := map[localreport.Verb][]string{
		localreport.Update:  {"inputOctets", "sessionTime"},
		localreport.Stop:    {"inputOctets", "sessionTime", "terminateCause"},
		localreport.Fail:    {"accepted", "terminateCause"},
		localreport.Call:    {"stop", "terminateCause", "sessionTime"},
		localreport.Command: {"level", "text"},
	}
	for _, verb := range localreport.Verbs() {
		for member, value := range members {
			t.Run(fmt.Sprint(verb, " ", member), func(t *testing.T) {
				w := newWorld(t)
				w.must(ann, localreport.Start, `{`+tun+`,"user":"a"}`)
				more := ""
				if verb == localreport.Command && member != "text" {
					more = `,"text":"ls"`
				}
				if verb == localreport.Call && member != "stop" {
					more = `,"stop":true`
				}
				r := w.report(ann, verb, fmt.Sprintf(`{%s,%q:%s%s}`, tun, member, value, more))
				used := false
				for _, one := range uses[verb] {
					used = used || one == member
				}
				if want := "/" + member; used != (r.Code == http.StatusOK) || !used && r.problem.Pointer != want {
					t.Errorf("%d %s; used: %t", r.Code, r.Body, used)
				}
			})
		}
	}
}
