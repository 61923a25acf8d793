package agentx_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
	"aaasess/mib"
)

// runIdentified is run with modules that have identities.
func runIdentified(t *testing.T, answer func(agentx.Header, agentx.Payload) *agentx.Response) *running {
	t.Helper()
	return runFixture(t, agentx.NewFixture(t, 10).Identify(t), answer)
}

// TestSessionCapabilities: each session begins with Open, Registers, and an AddAgentCaps for each
// module.
func TestSessionCapabilities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runIdentified(t, nil)
		want := []mib.Identity{agentx.FixtureIdentity, agentx.FixtureOtherIdentity}
		for range 2 {
			m := r.up(t)
			if diff := cmp.Diff(want, m.Modules()); diff != "" {
				t.Errorf("added (-want +got):\n%s", diff)
			}
			m.Close()
		}
		r.up(t)
		said := r.heard.without()
		for i, want := range []string{"Open", "Register", "Register", "AddAgentCaps", "AddAgentCaps"} {
			if !strings.HasSuffix(said[i], " "+want) {
				t.Errorf("PDU %d is %q, want %s", i+1, said[i], want)
			}
		}
	})
}

// TestSessionCapabilitiesRefused: the master refuses them all. The session serves, in each of ten
// sessions, and the log has one line.
func TestSessionCapabilitiesRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runIdentified(t, agentxtest.Refuse(pdu.TypeAddAgentCaps, pdu.ErrorRequestDenied))
		for range 10 {
			m := r.up(t)
			if vbs, err := m.Walk(agentx.FixtureTable); err != nil || len(vbs) != 7*10 {
				t.Errorf("walk of %d variables: %v", len(vbs), err)
			}
			m.Close()
		}
		r.up(t)
		time.Sleep(time.Second)
		line := []byte(`level=WARN msg="agentx: the master agent does not list our modules in sysORTable" network="" address="" err="agentx: AddAgentCaps refused: requestDenied"`)
		if text := []byte(strings.Join(r.log.lines(), "\n")); bytes.Count(text, line) != 1 || bytes.Count(text, []byte("AddAgentCaps")) != 1 {
			t.Errorf("log:\n%s", text)
		}
		if st := r.Stats(); !st.Connected || st.Reason != "" {
			t.Errorf("statistics %+v", st)
		}
	})
}

// TestSessionCapabilitiesUnanswered: the master never answers an AddAgentCaps. The session goes on
// and serves, and the log has one line. A master that answers nothing any more is still noticed.
func TestSessionCapabilitiesUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent atomic.Bool
		r := runIdentified(t, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			if p.Type() == pdu.TypeAddAgentCaps || silent.Load() {
				return nil
			}
			return agentxtest.Agree(h, p)
		})
		m := r.up(t)
		time.Sleep(10 * time.Minute)
		if vbs, err := m.Walk(agentx.FixtureTable); err != nil || len(vbs) != 7*10 {
			t.Errorf("walk of %d variables: %v", len(vbs), err)
		}
		if st := r.Stats(); !st.Connected || st.Connects != 1 {
			t.Errorf("statistics %+v", st)
		}
		log := strings.Join(r.log.lines(), "\n")
		if strings.Count(log, "does not list our modules in sysORTable") != 1 || !strings.Contains(log, "AddAgentCaps: agentx: no answer from the master within 10s") {
			t.Errorf("log:\n%s", log)
		}
		silent.Store(true)
		from := time.Now()
		<-m.Gone()
		if took := time.Since(from); took > 2*agentx.PingAfter+agentx.DefaultTimeout {
			t.Errorf("a silent master is noticed after %s", took)
		}
	})
}

// TestSessionNotRegistered: a subagent whose registration is refused does not appear in sysORTable.
func TestSessionNotRegistered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runIdentified(t, agentxtest.Refuse(pdu.TypeRegister, pdu.ErrorDuplicateRegistration))
		time.Sleep(time.Minute)
		m := <-r.masters
		if got := m.Modules(); len(got) > 0 {
			t.Errorf("added %+v", got)
		}
		if said := r.heard.without("Open", "Register", "Close ReasonOther"); len(said) > 0 {
			t.Errorf("we said %q", said)
		}
	})
}
