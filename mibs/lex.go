package mibs

import (
	"fmt"
	"strings"
)

// token is one lexical item of a module text.
type token struct {
	text string // without the quotes if quoted
	line int
	kind kind
}

type kind uint8

const (
	word   kind = iota // identifier, keyword or number
	quoted             // "..."
	mark               // ::= .. { } ( ) [ ] , ; |
	end                // after the last one
)

func (t token) String() string {
	if t.kind == end {
		return "end of text"
	}
	return fmt.Sprintf("%.40q", t.text)
}

// lex splits src into tokens; the last one has kind end.
func lex(src string) ([]token, error) {
	var toks []token
	line := 1
	for i := 0; i < len(src); {
		n, k := 1, mark
		rest := src[i:]
		switch c := rest[0]; {
		case c == '\n':
			line++
			i++
			continue
		case c == ' ' || c == '\t' || c == '\r':
			i++
			continue
		case strings.HasPrefix(rest, "--"):
			comment, _, _ := strings.Cut(rest, "\n")
			// The standard and tools disagree on whether code may follow a second "--".
			if strings.Contains(comment[2:], "--") {
				return nil, fmt.Errorf("line %d: second -- in a comment", line)
			}
			i += len(comment)
			continue
		case c == '"':
			n = strings.IndexByte(rest[1:], '"') + 2
			if n < 2 {
				return nil, fmt.Errorf("line %d: unterminated string", line)
			}
			toks = append(toks, token{rest[1 : n-1], line, quoted})
			line += strings.Count(rest[:n], "\n")
			i += n
			continue
		case c == '\'':
			// A number in hexadecimal or binary digits: 'ff'H, '0101'B.
			n = strings.IndexByte(rest[1:], '\'') + 3
			if n < 3 || n > len(rest) || rest[n-1] != 'H' && rest[n-1] != 'B' {
				return nil, fmt.Errorf("line %d: unterminated number", line)
			}
			k = word
		case strings.HasPrefix(rest, "::="):
			n = 3
		case strings.HasPrefix(rest, ".."):
			n = 2
		case strings.IndexByte("{}()[],;|", c) >= 0:
		default:
			n, k = wordLen(rest), word
		}
		if n == 0 {
			return nil, fmt.Errorf("line %d: unexpected %q", line, rest[0])
		}
		toks = append(toks, token{rest[:n], line, k})
		i += n
	}
	return append(toks, token{"", line, end}), nil
}

// wordLen returns the length of the word at the start of s, 0 if there is none.
// A hyphen may lead a number and join two letters or digits.
func wordLen(s string) int {
	alnum := func(i int) bool {
		return i < len(s) && (s[i]-'0' < 10 || (s[i]|0x20)-'a' < 26)
	}
	n := 0
	if s[0] == '-' && alnum(1) {
		n = 1
	}
	for alnum(n) || n > 0 && n < len(s) && s[n] == '-' && alnum(n+1) {
		n++
	}
	return n
}
