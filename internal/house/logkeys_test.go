package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logKeys are all keys of log lines with their meanings. An operator who searches a log for "err"
// finds every error.
var logKeys = map[string]string{
	"accounting":      "listening addresses for Accounting-Requests",
	"action":          "acct-on or acct-off",
	"address":         "of a peer, with its port if it has one",
	"agentx_session":  "the number that a master agent gave to its session with us",
	"attempt":         "the number of a try",
	"attribute":       "an attribute's name",
	"attributes":      "names of attributes",
	"attempts":        "number of tries",
	"away":            "how long a peer was unreachable",
	"by":              "the sender of a SET: an SNMPv3 user, the security name of a community, or agentx",
	"changes_kept":    "changes of a damaged log that were read",
	"client":          "a client's name in the configuration",
	"code":            "type of a RADIUS packet",
	"command":         "name of a command that ends sessions",
	"context":         "the SNMP context of a request",
	"created":         "how many servers SNMP managers have created",
	"destroyed":       "how many servers of the configuration SNMP managers have destroyed",
	"dir":             "the state folder",
	"done":            "how many were processed",
	"dropped":         "how many attributes of a record were left out",
	"dropped_total":   "how many attributes were left out so far",
	"down_since":      "when a method last had an answer",
	"entries":         "records that a command names",
	"err":             "an error, its text",
	"every":           "the time between two tries",
	"file":            "a file",
	"files":           "how many files",
	"fitting":         "names of disconnect profiles that would have been right",
	"first":           "number of the first record, or text of the first line",
	"force":           "whether an On is sent again after it was answered",
	"free":            "free space of the disk",
	"from":            "who sent it, or the first key of a range",
	"group":           "a server group",
	"held_down":       "how long nothing is sent to a server",
	"host":            "the host of a server as it is configured",
	"id":              "identifier of a RADIUS packet",
	"ifindex":         "the number of a network interface",
	"in_flight":       "records without an answer yet",
	"keys_at_most":    "how many keys may be lost",
	"last":            "number of the last record",
	"limit":           "the largest number that is allowed",
	"lines":           "how many lines of a file",
	"first_line":      "number of the first of them",
	"list":            "a method list",
	"max_size":        "limit of the store",
	"method":          "an accounting method",
	"min_free":        "the required free space",
	"nas":             "a NAS",
	"new_session":     "casnSessionId of the session that takes the place of another one",
	"nas_session":     "the NAS's own Acct-Session-Id",
	"network":         "of an address: tcp or unix",
	"next":            "when it is tried again",
	"now":             "a value after its change",
	"object":          "an object of a MIB",
	"octets":          "length",
	"octets_kept":     "length of what was read",
	"operstate":       "whether records wait for an Accounting-On",
	"other":           "another server",
	"outcome":         "how a disconnect or a request ended",
	"output":          "what a command wrote",
	"pdu":             "type of an SNMP request",
	"profile":         "name of a disconnect profile",
	"person":          "who is authenticated at the HTTP listener",
	"queue":           "a queue of records",
	"rate":            "records a second",
	"reason":          "why",
	"record":          "number of a record that was set aside, as in aaasess spool",
	"records":         "how many records",
	"round_trip":      "time from a request to its answer",
	"seq":             "number of a record",
	"server":          "a server's name in the configuration",
	"session":         "casnSessionId",
	"sessions":        "how many sessions",
	"set_aside_total": "how many records were set aside so far",
	"silent":          "how long nothing was heard of a session",
	"since":           "when it began",
	"size":            "of the store",
	"socket":          "path of the control socket",
	"source":          "the local address",
	"state":           "of a machine, or the state folder",
	"stop_wait":       "how long the daemon waits for a stop",
	"suppressed":      "how many lines like this one were not written",
	"target":          "a receiver of notifications",
	"text":            "text of the store's engine",
	"to":              "the last key of a range",
	"trigger":         "what caused it to be sent",
	"type":            "of a record",
	"uid":             "user id of the process that sent a command",
	"user":            "User-Name",
	"version":         "version of SNMP of a request",
	"warning":         "a place in the configuration, and what is probably unintended there",
	"was":             "a value before its change",
}

// logged calls fn for each key of the log lines of a file, with its place; a key that is not a
// literal is "".
func logged(t *testing.T, path string, text []byte, fn func(key string, at token.Position)) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		for _, arg := range keyExprs(n) {
			key, _ := literal(arg)
			fn(key, fset.Position(arg.Pos()))
		}
		return true
	})
}

// keyExprs returns the keys in a call of a logger, or in a list of its arguments: []any{"key",
// value}.
func keyExprs(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if list, ok := n.Type.(*ast.ArrayType); ok && isAny(list.Elt) && len(n.Elts) > 1 {
			if _, text := literal(n.Elts[0]); text {
				return everyOther(n.Elts)
			}
		}
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		switch {
		case ok && !n.Ellipsis.IsValid():
			return keyArgs(sel.Sel.Name, n.Args)
		case ok && isLogMethod(sel.Sel.Name): // append(list, "key", value)...
			if more, ok := n.Args[len(n.Args)-1].(*ast.CallExpr); ok && !more.Ellipsis.IsValid() && len(more.Args) > 2 {
				return everyOther(more.Args[1:])
			}
		}
	}
	return nil
}

func isAny(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "any"
}

func isLogMethod(name string) bool {
	return slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, name)
}

// everyOther returns the first, the third and so on.
func everyOther(all []ast.Expr) (keys []ast.Expr) {
	for i := 0; i < len(all); i += 2 {
		keys = append(keys, all[i])
	}
	return keys
}

// keyArgs returns the arguments of a call that are keys of a log line, if it is a call of a logger.
func keyArgs(method string, args []ast.Expr) (keys []ast.Expr) {
	switch {
	case isLogMethod(method):
		if len(args) == 0 {
			return nil
		}
		if !isText(args[0]) {
			return nil
		}
		args = args[1:]
	case method == "With": // of a logger, if the first argument is a key
		if len(args) == 0 || !isText(args[0]) {
			return nil
		}
	default:
		return nil
	}
	for i := 0; i < len(args); i += 2 {
		if call, ok := args[i].(*ast.CallExpr); ok && len(call.Args) == 2 { // an attribute: slog.Int("n", 1)
			keys = append(keys, call.Args[0])
			i--
			continue
		}
		keys = append(keys, args[i])
	}
	return keys
}

func isText(e ast.Expr) bool {
	_, text := literal(e)
	return text
}

// literal returns the value of a string literal.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func TestLogKeys(t *testing.T) {
	seen := map[string]bool{}
	sources(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal/house/") {
			return
		}
		logged(t, path, text, func(key string, at token.Position) {
			if logKeys[key] == "" {
				t.Errorf("%v: %q is not in logKeys", at, key)
			}
			seen[key] = true
		})
	})
	for key := range logKeys {
		if !seen[key] {
			t.Errorf("%q is in logKeys, but never logged", key)
		}
	}
}

func TestLogKeysCanFail(t *testing.T) {
	for name, tt := range map[string]struct {
		call string
		want []string
	}{
		"a line":         {`log.Warn("message", "err", err)`, []string{"err"}},
		"two keys":       {`log.Info("message", "a", 1, "b", 2)`, []string{"a", "b"}},
		"an attribute":   {`log.Info("message", slog.Int("a", 1), "b", 2)`, []string{"a", "b"}},
		"no literal":     {`log.Info("message", key, 1)`, []string{""}},
		"a logger":       {`log.With("a", 1)`, []string{"a"}},
		"a list":         {`args := []any{"a", 1, "b", 2}; log.Info("message", args...)`, []string{"a", "b"}},
		"a longer list":  {`log.Info("message", append(args, "c", 3)...)`, []string{"c"}},
		"another list":   {`f([]any{1, "a"})`, nil},
		"another method": {`err.Error()`, nil},
		"not a logger":   {`http.Error(w, "message", 400)`, nil},
	} {
		var got []string
		logged(t, "x.go", []byte(fmt.Sprintf("package p\n\nfunc f() { %s }\n", tt.call)), func(key string, _ token.Position) { got = append(got, key) })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
