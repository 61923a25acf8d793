package relay

import (
	"errors"
	"fmt"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
)

// replier is how a Relay answers an AccessRequest: it calls one of the methods, once.
type replier interface {
	Answer(code radius.Code, attrs []byte)
	Drop(reason error)
}

// exchange is an Access-Request on its way to a server and back. It has one owner at a time: Relay,
// then the group that has it, until Done.
type exchange struct {
	relay *Relay
	q     *nasradius.AccessRequest
	to    replier
	out   outgoing

	methods []*method         // that are left
	current *method           // the last one that it was sent to
	server  string            // it goes only to this server, if its State is known
	asked   admission.Request // if prepared and there are Admissions

	octets     int64 // that it counts
	prepared   bool  // out is complete
	unanswered bool  // a method had it, and gave no response
}

var _ client.Request = (*exchange)(nil)

// findConversation looks for the server that knows the request's State.
func (x *exchange) findConversation() {
	if x.out.state == nil {
		return
	}
	var space [keySpace]byte
	group, server, ok := x.relay.conversations.find(x.key(space[:0], x.out.state), x.q.Received)
	if m := withServer(x.methods, group, server); ok && m != nil {
		x.methods, x.server = []*method{m}, server
		return
	}
	x.relay.count(unknownStates)
}

// keySpace is enough for the key of any State.
const keySpace = 16 + 253

// reserve counts the request in the total. It reports false if there are too many.
func (x *exchange) reserve() bool {
	r := x.relay
	x.octets = int64(len(x.q.Packet.Octets()))
	number, octets := r.inFlight.Add(1), r.octets.Add(x.octets)
	return number <= r.maxInFlight && octets <= r.maxOctets
}

// enter counts the request in a group. It reports false if there are too many.
func (x *exchange) enter(m *method) bool {
	r := x.relay
	number, octets := m.inFlight.Add(1), m.octets.Add(x.octets)
	if number > min(int64(m.group.Window()), (r.maxInFlight+1)/2) || octets > (r.maxOctets+1)/2 {
		x.leave(m)
		return false
	}
	return true
}

func (x *exchange) leave(m *method) {
	m.inFlight.Add(-1)
	m.octets.Add(-x.octets)
}

// finish ends the request in the total. x.to has been or is about to be told.
func (x *exchange) finish() {
	x.relay.inFlight.Add(-1)
	x.relay.octets.Add(-x.octets)
}

func (x *exchange) drop(what counter, reason error) {
	x.finish()
	x.relay.count(what)
	x.to.Drop(reason)
}

// next sends the request to the next method that can take it. If there is none, it is dropped. If
// together is not nil, the packet waits there.
func (x *exchange) next(together *batches) {
	what, reason := noResponse, errNoResponse
	for len(x.methods) > 0 {
		m := x.methods[0]
		x.methods = x.methods[1:]
		switch {
		case x.relay.blocked(m.name):
			m.count(groupBlocked)
			what, reason = blocked, errBlocked
		case len(x.methods) > 0 && !m.group.Usable(): // no answer would come in time
			m.count(groupSkipped)
		case !x.enter(m):
			m.count(groupBusy)
			what, reason = busy, errBusy
		default:
			x.send(m, together)
			return
		}
	}
	if x.unanswered {
		what, reason = noResponse, errNoResponse
	}
	x.drop(what, reason)
}

// send sends the request to a group that has counted it.
func (x *exchange) send(m *method, together *batches) {
	if err := x.prepare(); err != nil {
		x.leave(m)
		x.drop(unusable, err)
		return
	}
	x.current = m
	m.count(groupRequests)
	var to sender = m.group
	if together != nil {
		to = together.of(m.group)
	}
	if x.server != "" {
		to.SendTo(x.server, x)
		return
	}
	to.Send(x, retry.Progress{})
}

// prepare completes the request for servers, unless that has been done.
func (x *exchange) prepare() error {
	if x.prepared {
		return nil
	}
	x.prepared = true
	var up admission.Upstream
	if admissions := x.relay.admissions; admissions != nil {
		x.asked = admission.Request{
			NAS: x.q.NAS, SameClient: x.q.SameClient, Kind: x.q.Kind, At: x.q.Received,
			Attrs: radius.Attributes(x.out.attrs),
		}
		up = admissions.Ask(&x.asked)
	}
	return x.out.add(up, x.q.Packet.Authenticator())
}

// protection is what the NAS encrypts with.
func (x *exchange) protection() radius.Protection {
	return radius.Protection{Secret: x.q.Secret, Request: x.q.Packet.Authenticator()}
}

// Append appends the packet for a server.
func (x *exchange) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	return x.out.append(b, identifier, x.protection(), secret)
}

// Answers reports whether packets with this code answer an Access-Request.
func (x *exchange) Answers(code radius.Code) bool {
	return code == radius.CodeAccessAccept || code == radius.CodeAccessReject || code == radius.CodeAccessChallenge
}

// Session returns the Acct-Session-Id that the server gets.
func (x *exchange) Session() string {
	if id := radius.Attributes(x.out.tail).Text(radius.AcctSessionID); id != "" {
		return id
	}
	return radius.Attributes(x.out.attrs).Text(radius.AcctSessionID)
}

// User returns the User-Name that the server gets.
func (x *exchange) User() string {
	return radius.Attributes(x.out.attrs).Text(radius.UserName)
}

// Done continues with the answer, or with the next method.
func (x *exchange) Done(answer client.Answer, err error) {
	m := x.current
	x.leave(m)
	switch {
	case err == nil:
		m.count(groupAnswers)
		x.answered(m, &answer)
	case errors.Is(err, client.ErrStopped):
		x.restart(m)
	case errors.Is(err, client.ErrOverflow):
		m.count(groupBusy)
		x.next(nil)
	default:
		m.count(groupSilent)
		x.unanswered = true
		if x.server != "" {
			x.drop(noResponse, errNoServer)
			return
		}
		x.next(nil)
	}
}

// restart continues a request that a closed group has given back, with the present routes: with the
// group of the same name if the list has it, else from the start.
func (x *exchange) restart(closed *method) {
	r := x.relay
	methods := r.routes.Load().of(x.q.ClientName)
	for i, m := range methods {
		if m.name == closed.name {
			methods = methods[i:]
			break
		}
	}
	if x.server != "" {
		m := withServer(methods, closed.name, x.server)
		if m == nil {
			x.drop(noResponse, errNoServer)
			return
		}
		methods = []*method{m}
	}
	if len(methods) == 0 || methods[0].group == closed.group || r.stopping.Load() {
		x.drop(stopped, errStopping)
		return
	}
	x.methods = methods
	x.next(nil)
}

// answered passes on the answer of a server. Its octets are valid until it returns.
func (x *exchange) answered(m *method, a *client.Answer) {
	r := x.relay
	buf := r.buffer()
	defer r.buffers.Put(buf)
	names := r.routes.Load().names
	crypt := radius.Recrypter{From: radius.Protection{Secret: a.Secret, Request: a.Request}, To: x.protection()}
	attrs, err := crypt.AppendAnswer((*buf)[:0], a.Packet.Attributes(), names)
	if err != nil {
		x.drop(badAnswers, fmt.Errorf("%v of server %s: %w", a.Packet.Code(), a.Server, err))
		return
	}
	switch a.Packet.Code() {
	case radius.CodeAccessAccept:
		x.endConversation()
		if r.admissions != nil {
			r.admissions.Accept(&x.asked, radius.Attributes(a.Packet.Attributes()))
		}
		x.answer(accepts, radius.CodeAccessAccept, attrs)
	case radius.CodeAccessReject:
		x.endConversation()
		x.reject(attrs)
	default:
		x.remember(m, a)
		x.answer(challenges, radius.CodeAccessChallenge, attrs)
	}
}

func (x *exchange) answer(what counter, code radius.Code, attrs []byte) {
	x.finish()
	x.relay.count(what)
	x.to.Answer(code, attrs)
}

// remember remembers which server sent the State of an Access-Challenge.
func (x *exchange) remember(m *method, a *client.Answer) {
	state := firstState(a.Packet.Attributes())
	if state == nil {
		return
	}
	var space, spaceBefore [keySpace]byte
	var before []byte
	if x.out.state != nil {
		before = x.key(spaceBefore[:0], x.out.state)
	}
	x.relay.conversations.add(x.key(space[:0], state), before, m.name, a.Server, time.Now())
}

func (x *exchange) endConversation() {
	if x.out.state != nil {
		var space [keySpace]byte
		x.relay.conversations.end(x.key(space[:0], x.out.state))
	}
}

func (x *exchange) key(b, state []byte) []byte { return appendKey(b, x.q.From.Addr(), state) }

func firstState(attrs []byte) []byte {
	for ; len(attrs) > 0; attrs = attrs[attrs[1]:] {
		if radius.Type(attrs[0]) == radius.State {
			return attrs[2:attrs[1]]
		}
	}
	return nil
}
