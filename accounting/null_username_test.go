package accounting

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

var suppressing = routes{sessions.Network: {List: "network/default", Record: StartStop, SuppressNullUsername: true, Methods: []MethodName{Local}}}

// S1 and S2: "To prevent accounting records from being generated for sessions that do not have
// usernames associated with them". From the packet that brings a User-Name on, records are made.
func TestSuppressNullUsername(t *testing.T) {
	const start, interim, stop, other = sessions.Start, sessions.Interim, sessions.Stop, sessions.Other
	longName := strings.Repeat("alice@", 40) // which is not remembered after the end
	// A packet of a session. The user is "-" for no User-Name.
	type packet struct {
		typ  sessions.EventType
		user string
	}
	for _, tt := range []struct {
		name    string
		packets []packet
		restart bool // after the first packet
		want    []sessions.EventType
	}{
		{"a session with a User-Name", []packet{{start, "alice"}, {interim, "-"}, {stop, "-"}}, false, []sessions.EventType{start, interim, stop}},
		{"no User-Name", []packet{{start, "-"}, {other, "-"}, {interim, "-"}, {stop, "-"}}, false, nil},
		{"no User-Name and a restart", []packet{{start, "-"}, {interim, "-"}, {stop, "-"}}, true, nil},
		{"an empty User-Name", []packet{{start, ""}, {interim, ""}, {stop, ""}}, false, nil},
		{"an interim brings the User-Name", []packet{{start, "-"}, {interim, "-"}, {interim, "alice"}, {interim, "-"}, {stop, "-"}}, true, []sessions.EventType{interim, interim, stop}},
		{"an empty one before", []packet{{start, ""}, {interim, "alice"}, {stop, "-"}}, false, []sessions.EventType{interim, stop}},
		{"the stop brings the User-Name", []packet{{start, "-"}, {stop, "alice"}}, true, []sessions.EventType{stop}},
		{"another record brings the User-Name", []packet{{start, "-"}, {other, "alice"}, {stop, "-"}}, false, []sessions.EventType{other}},
		{"a stop alone", []packet{{stop, "-"}}, false, nil},
		{"it continues after its end", []packet{{start, longName}, {stop, "-"}, {interim, "-"}, {stop, "-"}}, true, []sessions.EventType{start, stop, interim, stop}},
		{"a second stop", []packet{{start, longName}, {stop, "-"}, {stop, "-"}}, true, []sessions.EventType{start, stop, stop}},
		{"packets after the end of a session without User-Name", []packet{{start, "-"}, {stop, "-"}, {stop, "-"}}, true, []sessions.EventType{stop}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &host{t: t, disk: store.NewDisk(), now: time.Unix(993617100, 0)}
			h.open(suppressing)
			for i, p := range tt.packets {
				if i == 1 && tt.restart {
					h.restart(policy) // a session keeps what it began with
				}
				with := []byte(attrs(radius.AcctSessionID, "a"))
				if p.user != "-" {
					with = radius.AppendAttribute(with, radius.UserName, p.user)
				}
				if p.typ == other {
					with = radius.AppendUint32(with, radius.AcctStatusType, 15)
				}
				h.sendWith(p.typ, sessions.Network, "a", radius.Attributes(with))
			}
			var got []sessions.EventType
			for _, rec := range records(t, h.store, "local") {
				got = append(got, rec.Type)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("recorded %v, want %v", got, tt.want)
			}
		})
	}
}

// A tunnel's records are about no user: they are recorded, because they are of no session.
func TestSuppressNullUsernameOfNoSession(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := newRouter(t, s, suppressing)
	n := notice(0, sessions.Network, sessions.Other)
	committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
	if got := records(t, s, "local"); len(got) != 1 || got[0].Type != sessions.Other {
		t.Errorf("recorded %v", got)
	}
}

// A second start that brings the User-Name is recorded whatever newinfo says: no record has told of
// the session before.
func TestSuppressNullUsernameWithoutNewInfo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		users []string // of the starts; "-" for no User-Name
		want  []sessions.EventType
	}{
		{"the second start brings the User-Name", []string{"-", "alice"}, []sessions.EventType{sessions.Interim, sessions.Stop}},
		{"the first start has the User-Name", []string{"alice", "alice"}, []sessions.EventType{sessions.Start, sessions.Stop}},
		{"none has a User-Name", []string{"-", "-"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &host{t: t, disk: store.NewDisk(), now: time.Unix(993617100, 0)}
			h.open(suppressing)
			h.router.SetNewInfo(false)
			for i, user := range tt.users {
				with := []byte(attrs(radius.AcctSessionID, "a"))
				with = radius.AppendUint32(with, radius.AcctStatusType, uint32(sessions.Start))
				with = radius.AppendUint32(with, radius.EventTimestamp, uint32(h.now.Unix())+1)
				if user != "-" {
					with = radius.AppendAttribute(with, radius.UserName, user)
				}
				if i > 0 {
					with = radius.AppendUint32(with, radius.FramedIPAddress, 10<<24|uint32(i))
				}
				h.sendWith(sessions.Start, sessions.Network, "a", radius.Attributes(with))
			}
			h.sendWith(sessions.Stop, sessions.Network, "a", attrs(radius.AcctSessionID, "a"))
			var got []sessions.EventType
			for _, rec := range records(t, h.store, "local") {
				got = append(got, rec.Type)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("recorded %v, want %v", got, tt.want)
			}
		})
	}
}
