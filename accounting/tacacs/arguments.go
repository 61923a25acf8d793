package tacacs

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
	"aaasess/sessions"
)

// Arguments says how records become requests. The zero value gives the records of S1 and S2.
type Arguments struct {
	// Ports are rules for the field port; the first that matches a record counts. Without one the
	// port is NAS-Port-Id, else NAS-Port in decimal.
	Ports []PortRule
	// Times says which records have start_time, stop_time and timezone (RFC 8907 section 8.3).
	Times Times
	// Attributes says that the attributes that nothing else in the request tells are sent too, as
	// optional arguments: NAME*VALUE.
	Attributes bool
	// ResyncMark is the name of an optional argument in the records of a resync (R65); "": none. It
	// has 1 to 64 printable ASCII characters and none of "=" and "*".
	ResyncMark string
	// Names are the names of attributes and values; nil means [radius.Standard].
	Names *radius.Dictionary
}

// Times says which records tell their times.
type Times uint8

// The records that tell their times. TACACS+ has nothing like Acct-Delay-Time: a server takes its
// own clock for a record without times.
const (
	TimesLate   Times = iota // those that are sent more than 5 seconds after the event
	TimesAlways              // all
	TimesNever               // none
)

// lateAfter is the age of a record from which TimesLate tells its times.
const lateAfter = 5 * time.Second

var times = [...]string{TimesLate: "late", TimesAlways: "always", TimesNever: "never"}

// String returns the name in the configuration.
func (t Times) String() string {
	if int(t) < len(times) {
		return times[t]
	}
	return fmt.Sprintf("times(%d)", uint8(t))
}

// UnmarshalText parses the result of String.
func (t *Times) UnmarshalText(text []byte) error {
	i := slices.Index(times[:], string(text))
	if i < 0 {
		return fmt.Errorf("accounting/tacacs: times %q is not one of %s", text, strings.Join(times[:], ", "))
	}
	*t = Times(i)
	return nil
}

// Request returns a record as it is sent at a time (RFC 8907 section 7.1). It can always be encoded:
// what is too long is cut or left out. A record with AcctFlagWatchdog has no AcctFlagStart; whether a
// server wants it is not a matter of the record.
func (a *Arguments) Request(rec *accounting.Record, now time.Time) tacacs.AcctRequest {
	b := builder{Arguments: a, rec: rec, sent: now}
	if rec.Type == sessions.On || rec.Type == sessions.Off {
		b.addSystem()
		return tacacs.AcctRequest{Flags: flagsOf(rec), AuthenMethod: tacacs.AuthenMethodNone, PrivLvl: tacacs.PrivLvlMin, Args: b.args}
	}
	if rec.Kind == sessions.VRRS {
		b.addSession()
		return tacacs.AcctRequest{Flags: flagsOf(rec), AuthenMethod: tacacs.AuthenMethodNone, PrivLvl: tacacs.PrivLvlMin, Args: b.args}
	}
	r := tacacs.AcctRequest{
		Flags: flagsOf(rec), AuthenMethod: b.authenMethod(), PrivLvl: b.privLvl(), AuthenType: tacacs.AuthenTypeNotSet,
		AuthenService: b.authenService(), User: b.user(), Port: b.port(), RemAddr: b.remAddr(),
	}
	b.addSession()
	r.Args = b.args
	return r
}

// flagsOf returns the flags of a record. An event that is neither start nor stop of its session
// ([sessions.Other]) must not end it at the server, so it is a watchdog too.
func flagsOf(rec *accounting.Record) tacacs.AcctFlags {
	switch rec.Type {
	case sessions.Start, sessions.On:
		return tacacs.AcctFlagStart
	case sessions.Stop, sessions.Off:
		return tacacs.AcctFlagStop
	}
	return tacacs.AcctFlagWatchdog
}

// builder builds one request.
type builder struct {
	*Arguments
	rec  *accounting.Record
	sent time.Time
	args []string
	size int // octets of args, with their lengths
	// told has the attributes whose first value is somewhere in the request.
	told [256]bool
	// started and stopped are the times of the session that the request has; zero: none.
	started, stopped time.Time
}

// names returns the dictionary.
func (b *builder) names() *radius.Dictionary {
	if b.Names != nil {
		return b.Names
	}
	return radius.Standard()
}

// text returns the first value of an attribute, "" without one, and notes that the request has it.
func (b *builder) text(t radius.Type) string {
	value := b.rec.Attrs.Text(t)
	b.told[t] = true
	return value
}

// number returns the first value of an attribute, and notes that the request has it.
func (b *builder) number(t radius.Type) (n uint32, ok bool) {
	if n, ok = b.rec.Attrs.Uint32(t); ok {
		b.told[t] = true
	}
	return n, ok
}

// The values of authen_method, by Acct-Authentic (RFC 2866 section 5.6). TACACS+ has none for Remote
// and Diameter.
var authenMethods = map[uint32]byte{1: tacacs.AuthenMethodRADIUS, 2: tacacs.AuthenMethodLocal}

func (b *builder) authenMethod() byte {
	n, _ := b.rec.Attrs.Uint32(radius.AcctAuthentic)
	method, known := authenMethods[n]
	b.told[radius.AcctAuthentic] = known
	return method
}

// privLvl returns the level of a command. RADIUS has no levels: other users have 15 if they are
// Administrative ones (RFC 2865 section 5.6), else 1.
func (b *builder) privLvl() byte {
	if level, ok := b.level(); ok {
		return level
	}
	if b.rec.Attrs.IsAdministrative() {
		return tacacs.PrivLvlRoot
	}
	return tacacs.PrivLvlUser
}

func (b *builder) authenService() byte {
	switch b.rec.Kind {
	case sessions.Network:
		if b.service() == "ppp" {
			return tacacs.AuthenServicePPP
		}
	case sessions.Exec, sessions.Connection, sessions.Command:
		return tacacs.AuthenServiceLogin
	}
	return tacacs.AuthenServiceNone
}

// user returns the User-Name. It may be UTF-8 (RFC 8907 section 3.7).
func (b *builder) user() string {
	return escaped(b.text(radius.UserName), tacacs.MaxField, unicode.IsPrint)
}

// remAddr returns CALLING/CALLED, as Cisco's devices have it.
func (b *builder) remAddr() string {
	addr := b.text(radius.CallingStationID)
	if called := b.text(radius.CalledStationID); called != "" {
		addr += "/" + called
	}
	return ascii(addr, tacacs.MaxField)
}
