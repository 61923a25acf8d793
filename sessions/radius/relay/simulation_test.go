package relay

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
)

// simulation is a random history of logins, outages, reloads and blocks. At its end each request was
// answered or dropped once, the statistics add up, and no server got the State of another one.
type simulation struct {
	*rig
	rnd       *rand.Rand
	serial    atomic.Int64
	continued map[*login]bool // its State was used
}

var allServers = []string{"a", "b", "c"}

// answerOf returns the answers of a server: anything, or silence.
func (s *simulation) answerOf(name string) answering {
	rnd := rand.New(rand.NewPCG(s.rnd.Uint64(), 0))
	return func(p radius.Packet) (radius.Code, string, bool) {
		if state, has := radius.Attributes(p.Attributes()).Get(radius.State); has && !strings.HasPrefix(state, name) {
			s.t.Errorf("server %s got the State %q", name, state)
		}
		switch rnd.IntN(12) {
		case 0, 1:
			return 0, "", false
		case 2:
			return radius.CodeAccessReject, "", true
		case 3:
			return radius.CodeAccessAccept, vsa(311, 16, "bad"), true
		case 4:
			return radius.CodeAccountingResponse, "", true
		case 5, 6:
			return radius.CodeAccessAccept, attr(radius.Class, "c"), true
		}
		return radius.CodeAccessChallenge, attr(radius.State, fmt.Sprint(name, s.serial.Add(1))), true
	}
}

// reload distributes all servers over two groups, anew.
func (s *simulation) reload() {
	members := map[string][]string{}
	for _, i := range s.rnd.Perm(len(allServers)) {
		group := []string{"one", "two"}[s.rnd.IntN(2)]
		members[group] = append(members[group], allServers[i])
	}
	old := maps.Clone(s.groups)
	clear(s.groups)
	routes := Routes{Lists: map[string][]string{DefaultList: nil}}
	for name, servers := range members {
		s.addGroup(name, client.GroupConfig{Algorithm: client.Algorithm(s.rnd.IntN(3)), MaxInFlight: 1 + s.rnd.IntN(20)}, servers...)
		routes.Lists[DefaultList] = append(routes.Lists[DefaultList], name)
	}
	routes.Groups = maps.Clone(s.groups)
	if err := s.Reconfigure(routes); err != nil {
		s.t.Fatal(err)
	}
	for _, g := range old {
		_ = g.Close()
	}
}

// step does something random.
func (s *simulation) step() {
	switch s.rnd.IntN(20) {
	case 0:
		s.reload()
	case 1:
		name := allServers[s.rnd.IntN(len(allServers))]
		s.byName[name].setAnswer(s.answerOf(name))
	case 2:
		s.byName[allServers[s.rnd.IntN(len(allServers))]].setAnswer(silent)
	case 3:
		time.Sleep(time.Duration(s.rnd.IntN(5000)) * time.Millisecond)
	case 4:
		synctest.Wait()
	case 5:
		s.block("one", !s.isBlocked("one"))
	default:
		var attrs []string
		if n := len(s.logins); n > 0 && s.rnd.IntN(2) == 0 {
			last := s.logins[s.rnd.IntN(n)]
			if !s.continued[last] && last.String() == "Access-Challenge" && time.Since(s.begun)-last.at < conversationTime {
				attrs = append(attrs, last.state())
				s.continued[last] = true
			}
		}
		s.send("", "u", attrs...)
	}
}

func TestSimulation(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			heard := &slowRecords{rnd: rand.New(rand.NewPCG(seed, 1))}
			inBubble(t, map[string][]string{DefaultList: allServers}, func(cfg *Config) { cfg.Admissions = heard }, func(r *rig) {
				s := &simulation{rig: r, rnd: rand.New(rand.NewPCG(seed, 2)), continued: map[*login]bool{}}
				for _, name := range allServers {
					r.byName[name].setAnswer(s.answerOf(name))
				}
				for range 500 {
					s.step()
				}
				time.Sleep(5 * time.Minute) // all are answered or given up
				synctest.Wait()
				r.check()
			})
		})
	}
}
