package tacacs

import (
	"slices"
	"strconv"
	"strings"

	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
	"aaasess/sessions"
)

// ciscoAVPair is the attribute whose values are arguments of TACACS+.
var ciscoAVPair = radius.ID{Type: radius.VendorSpecific, Vendor: 9, VendorType: 1}

// ciscoHead is the length of what is before the text in a value of ciscoAVPair: the vendor, the type
// and the length.
const ciscoHead = 4 + 2

// reserved are the names of arguments that come from elsewhere. A Cisco-AVPair cannot replace them.
var reserved = []string{
	"task_id", "start_time", "stop_time", "timezone", "service", "protocol", "addr", "priv-lvl", "cmd", "cmd-arg", "event", "reason",
	"bytes_in", "bytes_out", "paks_in", "paks_out", "disc-cause", "elapsed_time", "Acct-Status-Type",
}

// splitPair splits the text of an argument into name and value. ok says whether it is one.
func splitPair(text string) (name, value string, ok bool) {
	i := strings.IndexAny(text, mandatory+optional)
	if i < 0 || !isName(text[:i]) || len(text) > tacacs.MaxField {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

// isPair reports whether a Cisco-AVPair is sent as an argument: its text is one (Cisco defines it
// so), and no other part of the request tells it.
func isPair(text string) bool {
	name, _, ok := splitPair(text)
	return ok && !slices.Contains(reserved, name)
}

// isTold reports whether the request has the text of a Cisco-AVPair without a Cisco-AVPair.
func (b *builder) isTold(text string) bool {
	name, _, _ := splitPair(text)
	switch name {
	case "priv-lvl":
		return true
	case "cmd", "cmd-arg":
		return b.rec.Kind == sessions.Command || b.rec.Kind == sessions.Connection
	}
	return isPair(text)
}

// pairs returns the values of the Cisco-AVPairs with a name.
func (b *builder) pairs(name string) (values []string) {
	for n, value := range b.rec.Attrs.AVPairs() {
		if n == name {
			values = append(values, value)
		}
	}
	return values
}

// level returns the privilege level of a record, 0..15.
func (b *builder) level() (level byte, ok bool) {
	for _, text := range b.pairs("priv-lvl") {
		if n, err := strconv.ParseUint(text, 10, 8); err == nil && n <= tacacs.PrivLvlRoot {
			return byte(n), true
		}
	}
	return 0, false
}

// endOfCommand is how Cisco's devices end a command.
const endOfCommand = " <cr>"

// addCommand appends the level and the text of a command. A long command continues in cmd-arg (RFC
// 8907 section 8.2).
func (b *builder) addCommand() {
	if level, ok := b.level(); ok {
		b.addNumber("priv-lvl", uint64(level))
	}
	b.addTyped(endOfCommand)
}

// addTyped appends what the user typed, and what ends it.
func (b *builder) addTyped(end string) {
	typed, more := b.pairs("cmd"), b.pairs("cmd-arg")
	if len(typed) == 0 {
		return
	}
	if len(more) == 0 {
		b.add("cmd", typed[0]+end)
		return
	}
	b.add("cmd", typed[0])
	for i, text := range more {
		if i == len(more)-1 {
			text += end
		}
		b.add("cmd-arg", text)
	}
}
