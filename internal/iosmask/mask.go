package iosmask

import (
	"slices"
	"strings"
	"sync"
)

// mask stands for a secret, whatever its length.
const mask = "*****"

// Command returns a command with its secrets masked. It takes time in proportion to the length of the
// command.
func Command(text string) string {
	words := split(text)
	secrets := append(urlSecrets(text, words), tableSecrets(text, words, false)...)
	if len(secrets) == 0 {
		return text
	}
	return replace(text, secrets)
}

// tableSecrets returns the secrets of a command by the table. A command in a command is looked into; one
// in that, which no device needs, is a secret as a whole.
func tableSecrets(text string, words []span, nested bool) []span {
	for len(words) > 0 && isPrefixWord(words[0].of(text)) {
		words = words[1:]
	}
	for _, r := range compiled() {
		spans, ok := r.match(text, words)
		switch {
		case ok && r.endsInCommand() && !nested:
			return commandSecrets(text, spans[len(spans)-1])
		case ok:
			return spans
		}
	}
	return nil
}

// commandSecrets returns the secrets of a command that is a part of a text, in quotes or not.
func commandSecrets(text string, part span) []span {
	if inner := part.of(text); len(inner) > 1 && inner[0] == '"' && inner[len(inner)-1] == '"' {
		part = span{part.start + 1, part.end - 1}
	}
	words := split(part.of(text))
	for i := range words {
		words[i].start += part.start
		words[i].end += part.start
	}
	return tableSecrets(text, words, true)
}

// endsInCommand reports whether what a rule calls a secret is a command.
func (r rule) endsInCommand() bool {
	last := r[len(r)-1]
	return len(last) > 0 && last[len(last)-1].kind == command
}

// isPrefixWord reports whether a word may stand before any command.
func isPrefixWord(w string) bool {
	return strings.EqualFold(w, "no") || strings.EqualFold(w, "do") || strings.EqualFold(w, "default")
}

// span is a part of a text, from the octet start to before end.
type span struct{ start, end int }

func (s span) of(text string) string { return text[s.start:s.end] }

// split returns the words of a text. A word in quotes may have spaces.
func split(text string) (words []span) {
	for i := 0; i < len(text); {
		if text[i] == ' ' {
			i++
			continue
		}
		end := i + 1
		if text[i] == '"' {
			if n := strings.IndexByte(text[end:], '"'); n >= 0 {
				end += n + 1
			}
		}
		for end < len(text) && text[end] != ' ' {
			end++
		}
		words = append(words, span{i, end})
		i = end
	}
	return words
}

// urlSecrets returns the passwords in the URLs of a command.
func urlSecrets(text string, words []span) (secrets []span) {
	for _, w := range words {
		_, rest, ok := strings.Cut(w.of(text), "://")
		authority, _, _ := strings.Cut(rest, "/")
		at := strings.LastIndexByte(authority, '@')
		colon := strings.IndexByte(authority[:max(at, 0)], ':')
		if start := w.end - len(rest); ok && colon >= 0 && colon+1 < at {
			secrets = append(secrets, span{start + colon + 1, start + at})
		}
	}
	return secrets
}

// replace masks parts of a text. They may overlap.
func replace(text string, secrets []span) string {
	slices.SortFunc(secrets, func(a, b span) int { return a.start - b.start })
	var b strings.Builder
	from := 0
	for _, s := range secrets {
		if s.start >= from {
			b.WriteString(text[from:s.start])
			b.WriteString(mask)
		}
		from = max(from, s.end)
	}
	b.WriteString(text[from:])
	return b.String()
}

// rule is a line of the table, split at each "...": these parts follow each other in a command, the
// first one at its beginning.
type rule [][]element

// element is a word of a rule.
type element struct {
	kind  elementKind
	names []name // of a keyword: any of them
}

// name is a keyword in small letters, and its least number of letters.
type name struct {
	text  string
	least int
}

type elementKind uint8

const (
	keyword elementKind = iota
	anyWord
	number  // that ends the command
	key     // a secret of one word
	rest    // a secret to the end
	command // a command to the end
)

// compiled returns the rules of the table.
var compiled = sync.OnceValue(func() (all []rule) {
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, compile(line))
		}
	}
	return all
})

func compile(line string) rule {
	r := rule{nil}
	for word := range strings.FieldsSeq(line) {
		if word == "..." {
			r = append(r, nil)
			continue
		}
		e := element{}
		switch word {
		case "*":
			e.kind = anyWord
		case "<number>":
			e.kind = number
		case "<key>":
			e.kind = key
		case "<rest>":
			e.kind = rest
		case "<command>":
			e.kind = command
		default:
			for keyword := range strings.SplitSeq(word, "|") {
				required, optional, _ := strings.Cut(strings.TrimSuffix(keyword, ")"), "(")
				e.names = append(e.names, name{required + optional, len(required)})
			}
		}
		r[len(r)-1] = append(r[len(r)-1], e)
	}
	return r
}

// match reports whether a command matches the rule, and returns its secrets.
func (r rule) match(text string, words []span) (secrets []span, ok bool) {
	next := 0 // the word after the part before
	for i, part := range r {
		last := next // where the part may begin at the latest
		if i > 0 {
			last = len(words)
		}
		for ok = false; next <= last && !ok; next++ {
			var end int
			var found []span
			if end, found, ok = matchPart(part, text, words, next); ok {
				secrets, next = append(secrets, found...), end-1
			}
		}
		if !ok {
			return nil, false
		}
	}
	return secrets, true
}

// matchPart reports whether a part of a rule matches the words from at on, and returns the word after
// them.
func matchPart(part []element, text string, words []span, at int) (end int, secrets []span, ok bool) {
	for _, e := range part {
		if (e.kind == key || e.kind == rest) && at+1 < len(words) && isEncryption(words[at].of(text)) {
			at++
		}
		if at >= len(words) || e.kind == keyword && !e.isWord(words[at].of(text)) ||
			e.kind == number && (at < len(words)-1 || !isShortNumber(words[at].of(text))) {
			return 0, nil, false
		}
		switch e.kind {
		case key:
			secrets = append(secrets, words[at])
		case rest, command:
			secrets = append(secrets, span{words[at].start, words[len(words)-1].end})
			at = len(words) - 1
		}
		at++
	}
	return at, secrets, true
}

// isWord reports whether a word is the keyword or an abbreviation of it.
func (e *element) isWord(w string) bool {
	for _, n := range e.names {
		if len(w) >= n.least && len(w) <= len(n.text) && strings.EqualFold(w, n.text[:len(w)]) {
			return true
		}
	}
	return false
}

// isEncryption reports whether a word before a secret is the number of its encryption, or of the
// length of its key (AES).
func isEncryption(w string) bool {
	return len(w) == 1 && w[0] >= '0' && w[0] <= '9' || w == "128" || w == "192" || w == "256"
}

// isShortNumber reports whether a word is the id of a key in a chain, and no key.
func isShortNumber(w string) bool { return len(w) <= 3 && strings.Trim(w, "0123456789") == "" }
