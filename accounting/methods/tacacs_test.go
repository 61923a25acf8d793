package methods

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

const tacacsKey tacacs.Key = "aaasess-test"

// tacacsServers are TACACS+ servers in memory, of any number of groups.
type tacacsServers struct {
	net    tacacstest.Network
	client *tacclient.Client
	seen   map[string]int // requests of a server that were compared
}

func (s *scene) tacacsServers() *tacacsServers {
	s.Helper()
	n := &tacacsServers{net: tacacstest.Network{}, seen: map[string]int{}}
	n.client = tacclient.New(tacclient.Config{Dial: n.net.Dial, Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	s.Cleanup(func() {
		for host, server := range n.net {
			for _, err := range server.Problems() {
				s.Errorf("%s: %v", host, err)
			}
		}
	})
	return n
}

// group returns a group of TACACS+ servers. Its records are blocked until its On is answered.
func (n *tacacsServers) group(s *scene, name, hosts string) *accttacacs.Spec {
	spec := &accttacacs.Spec{
		Group: name, Window: 8, Client: n.client,
		AcctOnOff: &accounting.OnOff{Attributes: identity.Attributes, Blocks: true, HostConfig: true},
	}
	for _, host := range strings.Fields(hosts) {
		if n.net[host+":49"] == nil {
			server := tacacstest.New(tacacsKey)
			s.Cleanup(server.Stop)
			n.net[host+":49"] = server
		}
		spec.Servers = append(spec.Servers, tacclient.Member{
			Identity: tacclient.Identity{Name: host, Host: host, Key: tacacsKey}, Schedule: retry.Schedule{Timeout: time.Second}, SingleConnection: true,
		})
	}
	return spec
}

func (n *tacacsServers) set(host string, b tacacstest.Behavior) { n.net[host+":49"].Set(b) }

// new returns what a server has got since the last call: flags and arguments. The task_id of an On or
// Off is left out.
func (n *tacacsServers) new(host string) (all []string) {
	arrivals := n.net[host+":49"].Arrivals()
	for _, a := range arrivals[n.seen[host]:] {
		flag := map[tacacs.AcctFlags]string{tacacs.AcctFlagStart: "START", tacacs.AcctFlagStop: "STOP"}[a.Request.Flags]
		args := slices.DeleteFunc(slices.Clone(a.Request.Args), func(arg string) bool {
			return strings.HasPrefix(arg, "task_id=") && len(arg) == len("task_id=4294967296")
		})
		all = append(all, flag+" "+strings.Join(args, " "))
	}
	n.seen[host] = len(arrivals)
	return all
}

// systemRecord returns a system record as new has it.
func systemRecord(flag, reason string) string {
	return flag + " service=system event=sys_acct reason=" + reason
}

// TestTACACSSystem: a group of TACACS+ servers gets a START when accounting is turned on and a STOP
// when it is turned off, with the same task_id (R52). The START is the first record that a server
// gets, also if that takes long (guarantee-first).
func TestTACACSSystem(t *testing.T) {
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		spec := n.group(s, "x", "a b")
		n.set("a", tacacstest.Behavior{Silent: true})
		n.set("b", tacacstest.Behavior{Silent: true})
		s.add("x", 1)
		s.apply(spec)
		s.advance(20 * time.Second)
		s.compare("no answer", []string{systemRecord("START", "reload")}, n.new("a"))
		s.compare("so the next server gets it", []string{systemRecord("START", "reload")}, n.new("b"))
		if h := s.queue("x").Method.Hold; h == delivery.Open {
			t.Error("records do not wait")
		}
		n.set("b", tacacstest.Behavior{})
		s.advance(onoff.DefaultRetry)
		got := n.new("b")
		want := []string{
			"START start_time=946684800 timezone=UTC service=system event=sys_acct reason=reload",
			"START task_id=1 start_time=1 timezone=UTC service=ppp",
		}
		s.compare("the round is repeated, and then the record follows", want, got)
		s.cancel()
		s.Wait()
		s.compare("the end", []string{systemRecord("STOP", "reload")}, n.new("b"))
		all := n.net["b:49"].Arrivals()
		for _, a := range []tacacstest.Arrival{all[1], all[len(all)-1]} {
			if a.Request.Args[0] != all[0].Request.Args[0] || a.Request.User+a.Request.Port+a.Request.RemAddr != "" {
				t.Errorf("%+v, the first was %+v", a.Request, all[0].Request)
			}
		}
	})
}

// TestTACACSSystemNotAccepted: a server that gets the START and answers ERROR, as those that accept
// records of known users only, does not hold the other records up. It gets the START again and again.
func TestTACACSSystemNotAccepted(t *testing.T) {
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		spec := n.group(s, "x", "a")
		n.set("a", tacacstest.Behavior{Handle: func(a tacacstest.Arrival) tacacs.Status {
			if slices.Contains(a.Request.Args, "service=system") {
				return tacacs.StatusError
			}
			return tacacs.StatusSuccess
		}})
		s.add("x", 1)
		s.apply(spec)
		s.advance(time.Second)
		want := []string{systemRecord("START", "reload"), "START task_id=1 start_time=1 timezone=UTC service=ppp"}
		s.compare("the record follows", want, n.new("a"))
		s.advance(onoff.DefaultRetry)
		want = []string{"START start_time=946684800 timezone=UTC service=system event=sys_acct reason=reload"}
		s.compare("the round is repeated", want, n.new("a"))
	})
}

// TestTACACSHostConfig: a server that a reload adds gets a START of its own, and one that it removes a
// STOP, both with reason=reconfigure. The others get nothing.
func TestTACACSHostConfig(t *testing.T) {
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		s.apply(n.group(s, "x", "a b"))
		s.compare("the start", []string{systemRecord("START", "reload")}, n.new("a"))
		s.apply(n.group(s, "x", "a c"))
		s.advance(2 * time.Second)
		s.compare("the added one", []string{systemRecord("START", "reconfigure")}, n.new("c"))
		s.compare("the removed one", []string{systemRecord("STOP", "reconfigure")}, n.new("b"))
		s.apply(n.group(s, "x", "d"))
		s.advance(2 * time.Second)
		s.compare("another group of servers", []string{systemRecord("START", "reconfigure")}, n.new("d"))
		s.compare("the former", []string{systemRecord("STOP", "reconfigure")}, n.new("a"))
		if st := s.Statuses()[0].OnOff; st.State != onoff.On || st.Server != "d" {
			t.Errorf("the status is %+v", st)
		}
	})
}

// TestSystemOfBothProtocols: in a list without broadcast the record goes to the first method that
// answers, whatever its protocol. RADIUS needs the identity of the NAS. In a broadcast each method gets
// one.
func TestSystemOfBothProtocols(t *testing.T) {
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		first := n.group(s, "t", "a")
		n.set("a", tacacstest.Behavior{Silent: true})
		s.configure(s.systemList(first, s.spec("r", 0)))
		s.advance(5 * time.Second)
		s.want("TACACS+ does not answer, RADIUS does", "r: open", "r: Accounting-On")
		if st := s.Statuses()[1].OnOff; st.State != onoff.On || st.Server != "server of r" {
			t.Errorf("the status is %+v", st)
		}
	})
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		s.setSilent("r", true)
		second := n.group(s, "t", "a")
		second.AcctOnOff = nil
		s.configure(s.systemList(s.announcing("r", 0), second))
		s.opened("r").unanswered()
		s.advance(time.Second)
		s.compare("RADIUS does not answer, TACACS+ does", []string{systemRecord("START", "reload")}, n.new("a"))
		s.setSilent("r", false) // for the Off
	})
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		s.apply(n.group(s, "t", "a"), s.announcing("r", 0))
		s.want("a broadcast: RADIUS", "r: open", "r: Accounting-On")
		s.compare("a broadcast: TACACS+", []string{systemRecord("START", "reload")}, n.new("a"))
		s.cancel()
		s.Wait()
		s.compare("the end", []string{systemRecord("STOP", "reload")}, n.new("a"))
	})
}

// TestTACACSSuppress: over a restart, servers of live sessions are told nothing ("redundancy suppress
// system-records").
func TestTACACSSuppress(t *testing.T) {
	inBubble(t, func(s *scene) {
		n := s.tacacsServers()
		s.startSession("x")
		s.configure(Config{Specs: []accounting.Spec{n.group(s, "x", "a")}, SuppressSystem: true})
		s.advance(2 * time.Second)
		s.cancel()
		s.Wait()
		synctest.Wait()
		s.compare("the start and the end", nil, n.new("a"))
	})
}
