package admission

import (
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// logins keeps logins, in the order of their newest request or answer, without pointers to each: with a
// hundred thousand of them, the garbage collector would otherwise take the time of the relay. The
// package documentation has the layout.
type logins struct {
	index
	kept           slab[entry]
	texts          texts
	nases          nases
	n              int
	octets         int
	oldest, newest ref
	serial         uint64 // of the newest entry
	scratch        []byte
}

// entry is a login as it is kept. The zero entry is none.
type entry struct {
	state
	serial       uint64 // no other login has had it
	older, newer ref    // in the order of state.at
	nas          ref    // in logins.nases
	text         ref    // in logins.texts: the attributes, what was granted, the Acct-Session-Id upstream
	links        ref    // in index.links: the first
	attrs        uint16 // octets of the attributes
	granted      uint16 // octets of what was granted
	// Where the values of who are in the text, 0 if there is none. The octet in front of a value is the
	// length of the attribute. A packet has at most 4096 octets (RFC 2865 section 3).
	user, also, sid, station, port, portID uint16
}

// handle names a login whether it is kept or not.
type handle struct {
	ref
	serial uint64
}

func newLogins() logins { return logins{index: newIndex(), nases: newNASes()} }

// entryOf returns a login, or nil if it is not kept any more.
func (x *logins) entryOf(h handle) *entry {
	if h.ref == 0 || int(h.ref) > x.kept.used {
		return nil
	}
	if e := x.kept.at(h.ref); e.serial == h.serial {
		return e
	}
	return nil
}

// whoIs returns who a login is of.
func (x *logins) whoIs(r ref) who {
	e := x.kept.at(r)
	return e.who(x.texts.at(e.text), x.nases.at(e.nas))
}

func (e *entry) who(text string, nas *sessions.NAS) who {
	value := func(at uint16) string {
		if at == 0 {
			return ""
		}
		return text[at:][:text[at-1]-2]
	}
	return who{
		nas: *nas, call: e.kind == sessions.Resource, user: value(e.user), also: value(e.also), sid: value(e.sid),
		station: value(e.station), port: value(e.port), portID: value(e.portID),
	}
}

// login returns a login.
func (x *logins) login(r ref) login {
	e := x.kept.at(r)
	text := x.texts.at(e.text)
	rest := text[e.attrs:]
	return login{
		who: e.who(text, x.nases.at(e.nas)), state: e.state,
		attrs: radius.Attributes(text[:e.attrs]), granted: radius.Attributes(rest[:e.granted]), upstream: rest[e.granted:],
	}
}

// granted returns what a login was granted.
func (x *logins) granted(r ref) radius.Attributes {
	e := x.kept.at(r)
	return radius.Attributes(x.texts.at(e.text)[e.attrs:][:e.granted])
}

// keep enters a login as the newest. Of its attributes it keeps those that tell who and where, and of
// the Access-Accept those that a session keeps.
func (x *logins) keep(l *login, now time.Duration) handle {
	x.serial++
	nas, isNew := x.nases.add(&l.nas)
	if isNew {
		x.octets += nasOctets(&l.nas)
	}
	r := x.kept.add(entry{serial: x.serial, nas: nas})
	x.fill(r, l)
	x.append(r, now)
	x.n++
	return handle{r, x.serial}
}

// replace changes what is kept of a login, and makes it the newest. Its NAS stays.
func (x *logins) replace(r ref, l *login, now time.Duration) handle {
	old := x.kept.at(r).text
	x.empty(r)
	x.fill(r, l) // l may be made of the old text
	x.texts.remove(old)
	x.touch(r, now)
	return handle{r, x.kept.at(r).serial}
}

// fill writes what changes of a login.
func (x *logins) fill(r ref, l *login) {
	b := appendOnly(x.scratch[:0], l.attrs, &identifying)
	attrs := len(b)
	b = appendOnly(b, l.granted, &granting)
	granted := len(b) - attrs
	b = append(b, l.upstream...)
	x.scratch = b
	e := x.kept.at(r)
	e.state, e.attrs, e.granted = l.state, uint16(attrs), uint16(granted)
	e.text = x.texts.add(b)
	e.locate(x.texts.at(e.text))
	w := x.whoIs(r)
	e.links = x.index.add(r, &w)
	x.octets += x.octetsOf(r)
}

// locate finds the values of who in the text.
func (e *entry) locate(text string) {
	e.user, e.also, e.sid, e.station, e.port, e.portID = 0, 0, 0, 0, 0, 0
	at := 2 // of a value
	note := func(field *uint16) {
		if *field == 0 { // the first of each counts
			*field = uint16(at)
		}
	}
	for t, v := range radius.Attributes(text[:e.attrs]).All() {
		switch t {
		case radius.UserName:
			note(&e.user)
		case radius.AcctSessionID:
			note(&e.sid)
		case radius.CallingStationID:
			note(&e.station)
		case radius.NASPort:
			note(&e.port)
		case radius.NASPortID:
			note(&e.portID)
		}
		at += 2 + len(v)
	}
	for t, v := range radius.Attributes(text[e.attrs:][:e.granted]).All() {
		if t == radius.UserName {
			note(&e.also)
		}
		at += 2 + len(v)
	}
}

// empty undoes fill, but for the text.
func (x *logins) empty(r ref) {
	x.octets -= x.octetsOf(r)
	x.index.remove(x.kept.at(r).links)
}

// drop forgets a login.
func (x *logins) drop(r ref) {
	x.empty(r)
	x.unlink(r)
	e := x.kept.at(r)
	x.texts.remove(e.text)
	nas := *x.nases.at(e.nas)
	if x.nases.remove(e.nas) {
		x.octets -= nasOctets(&nas)
	}
	x.kept.remove(r)
	if x.n--; x.n == 0 && x.kept.used > burst {
		serial := x.serial
		*x = newLogins() // slabs and maps never get smaller
		x.serial = serial
	}
}

// burst is how many places for logins are not given back while there are none.
const burst = 4 * slabChunk

// touch makes a login the newest.
func (x *logins) touch(r ref, now time.Duration) {
	x.unlink(r)
	x.append(r, now)
}

func (x *logins) append(r ref, now time.Duration) {
	e := x.kept.at(r)
	e.at = now
	if e.older = x.newest; e.older != 0 {
		x.kept.at(e.older).newer = r
	} else {
		x.oldest = r
	}
	x.newest = r
}

func (x *logins) unlink(r ref) {
	e := x.kept.at(r)
	if e.older != 0 {
		x.kept.at(e.older).newer = e.newer
	} else {
		x.oldest = e.newer
	}
	if e.newer != 0 {
		x.kept.at(e.newer).older = e.older
	} else {
		x.newest = e.older
	}
	e.older, e.newer = 0, 0
}

// What logins and NASes need without their texts, as the chunks and maps are on the average.
const (
	entryOctets = 128
	linkOctets  = 72
	sharedNASes = 400
)

// octetsOf returns how much memory a login needs: with the free half of a chunk of texts.
func (x *logins) octetsOf(r ref) int {
	e := x.kept.at(r)
	return entryOctets + x.index.count(e.links)*linkOctets + 2*len(x.texts.at(e.text))
}

func nasOctets(nas *sessions.NAS) int { return sharedNASes + len(nas.Identifier) }

// grantOf returns a copy of what a login was granted, for the table.
func grantOf(l *login) radius.Attributes { return radius.Attributes(strings.Clone(string(l.granted))) }
