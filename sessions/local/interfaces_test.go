package local

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/local/link"
	localreport "aaasess/sessions/local/report"
)

// TestInterfaces: a start or update names the interfaces of its session. One that is not there does not
// make the report fail; what cannot be a name does. A stop needs none.
func TestInterfaces(t *testing.T) {
	tests := []struct {
		name, members string
		code          int
		ifIndex, port uint32
		asked         []string
	}{
		{"both", `"interface":"ppp0","portInterface":"eth1"`, http.StatusOK, 7, 2, []string{"ppp0", "eth1"}},
		{"none", `"nasPortId":"x"`, http.StatusOK, 0, 0, nil},
		{"not there", `"interface":"ppp9","portInterface":"eth1"`, http.StatusOK, 0, 2, []string{"ppp9", "eth1"}},
		{"too long", `"interface":"interface-number-0"`, http.StatusBadRequest, 0, 0, nil},
		{"a path", `"portInterface":"../eth1"`, http.StatusBadRequest, 0, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			var asked []string
			w.cfg.Interface = func(name string) (link.Interface, error) {
				asked = append(asked, name)
				index := map[string]uint32{"ppp0": 7, "eth1": 2}[name]
				if index == 0 {
					return link.Interface{}, link.ErrNotFound
				}
				return link.Interface{Index: index, Link: &sessions.Link{Host: 1}}, nil
			}
			got := w.report(ann, localreport.Start, `{"source":"pppd","session":"1","user":"alice",`+tt.members+`}`)
			if got.Code != tt.code || !slices.Equal(asked, tt.asked) {
				t.Fatalf("%d %+v, asked for %q", got.Code, got.problem, asked)
			}
			if tt.code != http.StatusOK {
				if member := strings.Split(tt.members, `"`)[1]; got.problem.Pointer != "/"+member {
					t.Errorf("%+v", got.problem)
				}
				return
			}
			s := w.table.View().Get(1)
			if s.IfIndex() != tt.ifIndex || s.PortIfIndex() != tt.port || s.HasLink() != (tt.ifIndex != 0) {
				t.Errorf("%d, %d, %t", s.IfIndex(), s.PortIfIndex(), s.HasLink())
			}
			if got := w.report(ann, localreport.Stop, `{"source":"pppd","session":"1",`+tt.members+`}`); got.Code != http.StatusOK || len(asked) != len(tt.asked) {
				t.Errorf("stop: %d, asked for %q", got.Code, asked)
			}
		})
	}
}

// TestReportsRefresh: an update and a stop have the newest counters of the interface.
func TestReportsRefresh(t *testing.T) {
	w := newWorld(t)
	w.cfg.Interface = func(string) (link.Interface, error) {
		return link.Interface{Index: 7, Link: &sessions.Link{Host: 1}}, nil
	}
	octets := uint64(0)
	w.table.SetRefresher(func() {
		octets += 1000
		w.table.Refreshed(w.table.BeginRefresh(), 1, []sessions.Sample{{IfIndex: 7, Traffic: sessions.Traffic{octets}}})
	})
	w.report(ann, localreport.Start, `{"source":"pppd","session":"1","user":"alice","interface":"ppp0"}`)
	w.report(ann, localreport.Update, `{"source":"pppd","session":"1"}`)
	w.report(ann, localreport.Stop, `{"source":"pppd","session":"1"}`)
	var got []uint32
	for _, n := range w.journal.Notices() {
		in, _ := n.Attrs.Uint32(radius.AcctInputOctets)
		got = append(got, in)
	}
	if want := []uint32{0, 1000, 2000}; !slices.Equal(got, want) {
		t.Errorf("octets %d, want %d", got, want)
	}
}

// TestInterfaceUnknown: without a reader of the interfaces no session has one.
func TestInterfaceUnknown(t *testing.T) {
	w := newWorld(t)
	if got := w.report(ann, localreport.Start, `{"source":"pppd","session":"1","user":"alice","interface":"ppp0"}`); got.Code != http.StatusOK || w.table.HasLinks() {
		t.Errorf("%d %+v", got.Code, got.problem)
	}
	w.cfg.Interface = func(string) (link.Interface, error) { return link.Interface{}, errors.New("no sockets") }
	if got := w.report(ann, localreport.Start, `{"source":"pppd","session":"2","user":"alice","interface":"ppp0"}`); got.Code != http.StatusOK || w.table.HasLinks() {
		t.Errorf("without sockets: %d %+v", got.Code, got.problem)
	}
}
