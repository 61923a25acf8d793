package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
)

// inRounds returns the answers of a server whose logins need this many rounds. It rejects a State that it
// has not sent.
func inRounds(name string, rounds int) answering {
	states := map[string]int{} // the number of the round that it begins
	return func(p radius.Packet) (radius.Code, string, bool) {
		round := 0
		if state, has := radius.Attributes(p.Attributes()).Get(radius.State); has {
			if round = states[state]; round == 0 {
				return radius.CodeAccessReject, "", true
			}
		}
		if round+1 == rounds {
			return radius.CodeAccessAccept, "", true
		}
		next := fmt.Sprintf("%s %d", name, len(states))
		states[next] = round + 1
		return radius.CodeAccessChallenge, attr(radius.State, next) + attr(radius.EAPMessage, "\x01\x01\x00\x05\x04"), true
	}
}

// balanced makes a group that uses its servers in turn.
func balanced(r *rig, servers ...string) {
	old := r.groups[DefaultList]
	g := r.addGroup(DefaultList, client.GroupConfig{Algorithm: client.RoundRobin}, servers...)
	routes := Routes{Lists: map[string][]string{DefaultList: {DefaultList}}, Groups: map[string]*client.Group{DefaultList: g}}
	if err := r.Reconfigure(routes); err != nil {
		r.t.Fatal(err)
	}
	if old != nil {
		_ = old.Close()
	}
	for _, name := range servers {
		r.byName[name].setAnswer(inRounds(name, 3))
	}
}

// TestConversations: all rounds of a login have one server, also if the group balances and the rounds of
// many logins alternate.
func TestConversations(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b", "c")
		var logins []*login
		for i := range 50 {
			logins = append(logins, r.login("", fmt.Sprint("u", i)))
		}
		for round := range 2 {
			for i, l := range logins {
				r.want(l, "Access-Challenge")
				logins[i] = r.login("", l.name, l.state())
			}
			if n := r.Stats().States; round == 0 && n != 2*50 {
				t.Errorf("%d States are known, want 100", n)
			}
		}
		for _, l := range logins {
			r.want(l, "Access-Accept")
		}
		if n := r.Stats().States; n != 0 {
			t.Errorf("%d States are known, want none", n)
		}
		for _, name := range []string{"a", "b", "c"} {
			if n := len(r.byName[name].users()); n != 48 && n != 51 {
				t.Errorf("server %s got %d requests, want those of 16 or 17 logins", name, n)
			}
		}
	})
}

// TestRoundsOutOfOrder: the State of the round before still finds its server, an older one and an unknown
// one do not.
func TestRoundsOutOfOrder(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b")
		one := r.login("", "u")
		two := r.login("", "u", one.state())
		r.want(two, "Access-Challenge")
		r.want(r.login("", "u", one.state()), "Access-Challenge") // the NAS sends the round again
		r.want(r.login("", "u", two.state()), "Access-Accept")
		s := r.Stats()
		if s.UnknownStates != 0 || len(r.byName["b"].users()) != 0 {
			t.Errorf("%+v; the other server got %v", s, r.byName["b"].users())
		}
		r.want(r.login("", "v", attr(radius.State, "never seen")), "Access-Reject")
		if s := r.Stats(); s.UnknownStates != 1 {
			t.Errorf("%d unknown States, want 1", s.UnknownStates)
		}
	})
}

// TestConversationServerDies: its rounds go to no other server; a new login does.
func TestConversationServerDies(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b")
		one := r.login("", "u")
		r.byName["a"].setAnswer(silent)
		l := r.login("", "u", one.state())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		r.want(l, errNoServer.Error())
		if got := r.byName["b"].users(); len(got) != 0 {
			t.Errorf("the other server got %v", got)
		}
		r.want(r.login("", "v"), "Access-Challenge")
		r.byName["a"].setAnswer(acceptAll)
		r.want(r.login("", "u", one.state()), "Access-Accept") // it is dead, and gets the round
	})
}

// TestConversationSurvivesReload: it stays with its server, in a group with other members and in
// another group. If no group of the list has the server, the State is unknown.
func TestConversationSurvivesReload(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b")
		rounds := inRounds("a", 4)
		r.byName["a"].setAnswer(rounds)
		one := r.login("", "u")
		balanced(r, "c", "b", "a")
		r.byName["a"].setAnswer(rounds)
		two := r.login("", "u", one.state())
		r.want(two, "Access-Challenge")

		others := Routes{Lists: map[string][]string{DefaultList: {"first", "second"}}, Groups: map[string]*client.Group{
			"first": r.addGroup("first", client.GroupConfig{}, "b"), "second": r.addGroup("second", client.GroupConfig{}, "a"),
		}}
		if err := r.Reconfigure(others); err != nil {
			t.Fatal(err)
		}
		three := r.login("", "u", two.state())
		r.want(three, "Access-Challenge")

		balanced(r, "b", "c")
		r.want(r.login("", "u", three.state()), "Access-Reject")
		if got := fmt.Sprint(r.byName["a"].users(), r.byName["b"].users(), r.byName["c"].users()); got != "[u u u] [u] []" {
			t.Errorf("servers got %s", got)
		}
	})
}

// TestRoundInFlightAtReload: the round goes again to the server, in the group that has it now. If none
// has it, nobody answers.
func TestRoundInFlightAtReload(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b")
		rounds := r.byName["a"].answer
		one := r.login("", "u")
		r.byName["a"].setAnswer(silent)
		l := r.login("", "u", one.state())
		balanced(r, "b", "a")
		synctest.Wait()
		r.want(l, "waits")
		time.Sleep(schedule.Timeout / 2)
		r.byName["a"].setAnswer(rounds)
		time.Sleep(schedule.Timeout)
		synctest.Wait()
		r.want(l, "Access-Challenge")

		r.byName["a"].setAnswer(silent)
		l = r.login("", "u", l.state())
		balanced(r, "b", "c")
		synctest.Wait()
		r.want(l, errNoServer.Error())
		if got := r.byName["b"].users(); len(got) != 0 {
			t.Errorf("another server got %v", got)
		}
	})
}

// TestRoundInFlightMoves: the server is in the second group now. The first one does not get the round.
func TestRoundInFlightMoves(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b")
		rounds, old := r.byName["a"].answer, r.groups[DefaultList]
		one := r.login("", "u")
		r.byName["a"].setAnswer(silent)
		l := r.login("", "u", one.state())
		r.byName["a"].setAnswer(rounds)
		r.addGroup("first", client.GroupConfig{}, "b")
		r.addGroup("second", client.GroupConfig{}, "a")
		if err := r.Reconfigure(Routes{Lists: map[string][]string{DefaultList: {"first", "second"}}, Groups: r.groups}); err != nil {
			t.Fatal(err)
		}
		_ = old.Close()
		synctest.Wait()
		r.want(l, "Access-Challenge")
		if got := r.byName["b"].users(); len(got) != 0 {
			t.Errorf("another server got %v", got)
		}
	})
}

// TestConversationEnds: a State is forgotten after some time.
func TestConversationEnds(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		balanced(r, "a", "b")
		one := r.login("", "u")
		time.Sleep(conversationTime + conversationTime/10 + time.Second)
		synctest.Wait()
		if n := r.Stats().States; n != 0 {
			t.Errorf("%d States are known, want none", n)
		}
		r.want(r.login("", "u", one.state()), "Access-Reject") // by the server whose turn it is
	})
}
