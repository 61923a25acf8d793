package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/retry"
)

const referenceFile = "../../../../deploy/aaasess.yaml"

func readReference(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// alternative matches a secret in a comment of the reference file.
var alternative = regexp.MustCompile(`#   (secret: \{(file|credential): (\S+)\}).*`)

// offByDefault matches a key behind a # in the reference file. Comments have a space there.
var offByDefault = regexp.MustCompile(`(?m)^( *)#(\S)`)

// uncommented returns the reference file with all keys that are off by default.
func uncommented(text string) string { return offByDefault.ReplaceAllString(text, "$1$2") }

func TestReferenceIsTaken(t *testing.T) {
	text := readReference(t)
	c, err := Parse("aaasess.yaml", []byte(text), "/etc/aaasess")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Listener.Clients) < 2 || len(c.Groups) < 1 || len(c.Groups[0].Servers) < 2 || len(c.Policy.Lists) != 3 {
		t.Errorf("the reference shows too little: %+v", c)
	}
	for _, w := range c.Warnings() {
		if !strings.Contains(w.Error(), "change me") {
			t.Errorf("the reference has the warning %v", w)
		}
	}
	for _, s := range c.Groups[0].Servers { // during an outage, records must not wait a day for the next method
		if s.Schedule != (retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}) {
			t.Errorf("server %s has not the defaults: %+v", s.Name, s)
		}
	}
}

// All keys that are off by default in the reference file can be used together.
func TestReferenceUncommentedIsTaken(t *testing.T) {
	c, err := Parse("aaasess.yaml", []byte(uncommented(readReference(t))), "/etc/aaasess")
	if err != nil {
		t.Fatal(err)
	}
	servers := c.Groups[len(c.Groups)-1].Servers                                   // those of group radius
	if s := servers[0].Schedule; s.MaxDelay != time.Hour || s.BackoffRetry != 32 { // the example of S4
		t.Errorf("schedule of the first server is %+v", s)
	}
	if s := servers[1].Schedule; s.MaxDelay != time.Hour || s.BackoffRetry != 32 {
		t.Errorf("schedule of all servers is %+v", s)
	}
	isp, archive := c.Groups[0], c.Groups[1]
	if isp.AcctOnOff == nil || isp.AcctOnOff.Controls == "" || isp.AcctOnOff.Controls != archive.MonitorGroup {
		t.Errorf("nothing is controlled and monitored: %+v, %+v", isp, archive)
	}
	checkReferenceSNMP(t, c.SNMP.Responder)
	if c.Store.MaxSize == 0 || isp.AcctOnOff.Attributes != "\x20\x0baaasess-1" || !isp.Source.IsValid() {
		t.Errorf("a key is still off: %+v", c)
	}
}

// The examples for the responder in the reference file use no weak settings.
func checkReferenceSNMP(t *testing.T, r *Responder) {
	t.Helper()
	if r == nil || len(r.Policy.Communities()) != 1 || len(r.Users) != 2 || len(r.Targets) != 3 {
		t.Fatalf("the reference shows too little of SNMP: %+v", r)
	}
	for _, e := range r.Policy.Entries() {
		if e.Write != nil && e.Level < wire.AuthPriv {
			t.Errorf("a SET is allowed below authPriv: %+v", e)
		}
	}
	if !r.Config.System.AuthenTraps || r.Config.MaxMessageSize != 65507 {
		t.Errorf("the responder has not the defaults: %+v", r)
	}
	user := r.Users[0]
	if user.Auth != usm.HMACSHA256 || user.Priv != usm.AES128 || user.AuthSecret.Password == user.PrivSecret.Password {
		t.Errorf("the user is %+v", user)
	}
	community := r.Policy.Communities()[0]
	if e, _ := r.Policy.Access(wire.ModelV2c, community.SecurityName, wire.NoAuthNoPriv); e == nil || e.Write != nil || e.Read == nil || community.From[0].Bits() == 0 {
		t.Errorf("%v has %+v", community, e)
	}
	if e, _ := r.Policy.Access(wire.ModelUSM, user.Name, wire.AuthPriv); e == nil || e.Write == nil || e.Level != wire.AuthPriv {
		t.Errorf("the user has %+v", e)
	}
	if e, status := r.Policy.Access(wire.ModelUSM, user.Name, wire.AuthNoPriv); status != vacm.NoAccessEntry {
		t.Errorf("the user has %+v below authPriv", e)
	}
	if source := r.Targets[2].SourceAddress; !source.IsValid() {
		t.Error("no target shows a source-address")
	}
	if n := r.Targets[0]; n.Version != wire.Version3 || n.Inform || n.User.Name != user.Name {
		t.Errorf("the first target is %+v", n)
	}
}

// The secrets in comments are valid too.
func TestReferenceAlternatives(t *testing.T) {
	text := readReference(t)
	found := alternative.FindAllStringSubmatch(text, -1)
	if len(found) != 2 {
		t.Fatalf("found %d alternatives, want 2", len(found))
	}
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	for _, alt := range found {
		if err := os.WriteFile(dir+"/"+alt[3], []byte("from elsewhere\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Parse("aaasess.yaml", []byte(strings.Replace(text, `secret: "change me 1"`, alt[1], 1)), dir)
		if err != nil {
			t.Errorf("%s: %v", alt[1], err)
		} else if got := c.Listener.Clients[0].Secret; got != "from elsewhere" {
			t.Errorf("%s: not the secret of the file", alt[1])
		}
	}
}

// undocumented returns the keys of the raw structs that a reference file lacks, or has without a
// comment, without the default or without [restart]. If several mappings have the same keys, as
// with backoff, only the first one is checked.
func undocumented(t *testing.T, text string) (missing []string) {
	t.Helper()
	text = uncommented(text)
	var raw rawConfig
	doc, err := engine.Decode("aaasess.yaml", []byte(text), ".", &raw)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	explained := map[reflect.StructTag]bool{}

	allKeys(func(path string, f reflect.StructField) {
		if strings.Contains(path, "{}") && explained[f.Tag] {
			return // one entry of a map need not have all keys
		}
		line := shownAt(doc, path)
		if line == 0 {
			missing = append(missing, path+" is missing")
			return
		}
		if explained[f.Tag] {
			return
		}
		explained[f.Tag] = true
		comment := commentOf(lines, f.Tag.Get("yaml"), line)
		if comment == "" && !slices.Contains(selfEvident, path) {
			missing = append(missing, path+" has no comment")
		}
		if f.Tag.Get("restart") != "" && !strings.Contains(comment, "[restart]") {
			missing = append(missing, path+" is not marked [restart]")
		}
		if !showsDefault(f, strings.ReplaceAll(lines[line-1], `"`, ""), comment) {
			missing = append(missing, fmt.Sprintf("%s does not show its default, %s", path, f.Tag.Get("default")))
		}
	})
	return missing
}

// shownAt returns the line of a key, in the first entry of a list or map that has it; 0 if there is
// none.
func shownAt(doc *strictyaml.Document, path string) int {
	for i := range 10 {
		for _, key := range []string{".default", ".7777", ".15"} {
			at := strings.NewReplacer("[]", fmt.Sprintf("[%d]", i), "{}{}", ".15.default", "{}", key).Replace(path)
			if line := doc.Line(at); line > 0 {
				return line
			}
		}
	}
	return 0
}

// elsewhere matches a comment about a default that is not a constant.
var elsewhere = regexp.MustCompile(`default: |is missing|Without this key`)

// showsDefault reports whether the value of a key is its default, or the comment above it has the
// default.
func showsDefault(f reflect.StructField, line, comment string) bool {
	def, ok := f.Tag.Lookup("default")
	switch {
	case f.Type.Kind() == reflect.Pointer:
		return elsewhere.MatchString(comment)
	case !ok:
		return true
	case def == "":
		return strings.HasSuffix(line, ": ") || elsewhere.MatchString(comment)
	}
	want := strings.Join(strings.Fields(def), ", ")
	return strings.HasSuffix(line, ": "+want) || strings.HasSuffix(line, ": ["+want+"]") || strings.Contains(comment, "default: "+def)
}

// selfEvident has the keys that need no comment.
var selfEvident = []string{
	"radius", "radius.servers[].port", "tacacs.servers[].port",
}

// commentOf returns the comment above a key. line is that of its value, from 1.
func commentOf(lines []string, key string, line int) string {
	i := line - 1
	for i > 0 && !strings.Contains(lines[i], key+":") { // the value of a mapping starts below its key
		i--
	}
	var comment []string
	for i--; i >= 0 && strings.HasPrefix(strings.TrimSpace(lines[i]), "#"); i-- {
		comment = append(comment, strings.Trim(lines[i], " #"))
	}
	slices.Reverse(comment)
	return strings.Join(comment, " ")
}

// Every key has a description.
func TestReferenceIsComplete(t *testing.T) {
	text := readReference(t)
	for _, fault := range undocumented(t, text) {
		t.Error(fault)
	}
	for _, key := range []string{"file", "credential"} {
		if !strings.Contains(text, "{"+key+": ") {
			t.Errorf("a secret's %s is missing", key)
		}
	}
}

func TestReferenceIsCompleteFailing(t *testing.T) {
	text := readReference(t)
	for _, tc := range []struct{ old, instead, want string }{
		{"      window: 1024\n", "", "radius.groups[].window is missing"},
		{"      window: 1024\n", "      window: 1025\n", "radius.groups[].window does not show its default, 1024"},
		{"  # The longest wait between attempts. [restart]\n", "", "sessions.disconnect.retry-max has no comment"},
		{"between attempts. [restart]\n", "between attempts.\n", "sessions.disconnect.retry-max is not marked [restart]"},
		{"# [restart] default: var/state\n", "# [restart]\n", "state does not show its default, var/state"},
		{"      #timeout: 3s\n", "", "radius.servers[].timeout is missing"},
		{"      #timeout: 10s\n", "      # timeout: 10s\n", "local.commands[].timeout is missing"},
		{"        #monitor-group: upstream\n", "", "radius.groups[].acct-on-off.monitor-group is missing"},
		{"default: the name of the host\n", "\n", "radius.nas-identifier does not show its default, "},
		{"default: radius.hold-down\n", "\n", "radius.groups[].hold-down does not show its default, "},
		{"      #backoff: {max-delay: 60m, retry: 32}\n", "      #backoff: {max-delay: 60m}\n", "radius.servers[].backoff.retry is missing"},
		{"    #retry: 32\n", "    #retry: 33\n", "radius.backoff.retry does not show its default, 32"},
		{"      #failures: 100\n", "", "snmp.responder.limits.failures is missing"},
		{"      #response-octets: 64MiB\n", "      #response-octets: 0\n", "snmp.responder.limits.response-octets does not show its default, 64MiB"},
		{"      #total-response-octets: 256MiB\n", "      #total-response-octets: 0\n", "snmp.responder.limits.total-response-octets does not show its default, 256MiB"},
		{"needs a restart. [restart]\n", "needs a restart.\n", "snmp.responder is not marked [restart]"},
		{"    # [restart] default: a random one, made", "    # default: a random one, made", "snmp.responder.engine-id is not marked [restart]"},
		{"      # sysObjectID.\n", "", "snmp.responder.system.object-id has no comment"},
		{"      #engine-id: \"80007ed9047265636569766572\"\n", "", "snmp.notifications[].engine-id is missing"},
		{"      #source-address: 192.0.2.10\n      # How long", "      # How long", "snmp.notifications[].source-address is missing"},
		{"        #read: common\n", "        #read: all\n", "snmp.responder.groups[].read does not show its default, common"},
		{"80% of it a warning is logged. [restart] default", "80% of it a warning is logged. default", "store.max-size is not marked [restart]"},
	} {
		broken := strings.Replace(text, tc.old, tc.instead, 1)
		if strings.HasPrefix(tc.old, "  # ") {
			broken = strings.Replace(text, "  "+tc.old, "", 1)
		}
		if got := undocumented(t, broken); !slices.Contains(got, tc.want) {
			t.Errorf("without %q: %q, want %q", tc.old, got, tc.want)
		}
	}
}
