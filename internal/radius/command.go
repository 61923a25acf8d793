package radius

import (
	"strconv"
	"strings"
)

// MaxCommand is the most octets that are kept of a command. A longer one ends with cutMark.
const MaxCommand = 2048

const cutMark = "..."

// AppendCommand appends a command, which no attribute of RADIUS is for, as Cisco-AVPairs: priv-lvl, its
// privilege level; cmd and, if it is longer than one attribute, one or more cmd-arg (RFC 8907 section
// 8.2). Each has whole words if it can. Joined with spaces, they are the command.
func AppendCommand(b []byte, level int, text string) []byte {
	b = AppendAVPair(b, "priv-lvl", strconv.Itoa(level))
	cut := len(text) > MaxCommand
	if cut {
		text = strings.ToValidUTF8(text[:MaxCommand], "")
	}
	for name := "cmd"; text != ""; name = "cmd-arg" {
		var piece string
		piece, text = firstWords(text, MaxAVPair-len(name)-1)
		b = AppendAVPair(b, name, piece)
	}
	if cut {
		b = AppendAVPair(b, "cmd-arg", cutMark)
	}
	return b
}

// firstWords splits a text at the last space before it has more than most octets; without a space
// there, within the word.
func firstWords(text string, most int) (first, rest string) {
	if len(text) <= most {
		return text, ""
	}
	if at := strings.LastIndexByte(text[:most+1], ' '); at > 0 {
		return text[:at], text[at+1:]
	}
	return text[:most], text[most:]
}

// Command returns the privilege level and the text of a command. They are 0 and "" if there is none.
func (a Attributes) Command() (level int, text string) {
	var pieces []string
	for name, value := range a.AVPairs() {
		switch name {
		case "priv-lvl":
			level, _ = strconv.Atoi(value)
		case "cmd", "cmd-arg":
			pieces = append(pieces, value)
		}
	}
	return level, strings.Join(pieces, " ")
}
