package mibs

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/published.txt from the published modules")

// publishedFile has facts of the published modules: names, OIDs, types, access, status, indexes; no
// text of theirs. With it, a host without these modules can compare ours.
const publishedFile = "testdata/published.txt"

// cut are the modules that have only what other modules refer to. Whatever they have is compared.
var cut = map[string]string{
	"CISCO-SMI": "the path to CISCO-AAA-SERVER-MIB and CISCO-AAA-SESSION-MIB, and its neighbours",
	"IF-MIB":    "the columns that go with a session",
}

// macroModules cannot be compared: they define the language itself, and ours have empty macros.
var macroModules = []string{"SNMPv2-CONF", "SNMPv2-SMI"}

const (
	noFilters = "aaasess filters notifications by the notify view of a group, and has no filter profiles"
	noWired   = "statistics of wired and wireless switches; no group of the module has them"
)

// leftOut are the definitions that one of our modules does not have, by module and name, with the
// reason.
var leftOut = map[string]string{
	"SNMPv2-MIB snmpBasicCompliance": "deprecated; snmpBasicComplianceRev2 replaces it",

	"SNMP-NOTIFICATION-MIB snmpNotifyFilterProfileTable":     noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterProfileEntry":     noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterProfileName":      noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterProfileStorType":  noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterProfileRowStatus": noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterTable":            noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterEntry":            noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterSubtree":          noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterMask":             noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterType":             noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterStorageType":      noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterRowStatus":        noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyBasicFiltersCompliance": noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFullCompliance":         noFilters,
	"SNMP-NOTIFICATION-MIB snmpNotifyFilterGroup":            noFilters,
}

// leftOutColumns are columns that one of our modules does not have, with the reason.
var leftOutColumns = []struct {
	module, entry   string
	from, to, count uint32
	why             string
}{
	{"CISCO-AAA-SERVER-MIB", "casStatisticsEntry", 30, 115, 86, noWired},
}

// TestPublished compares the facts of our modules with those of the published modules.
func TestPublished(t *testing.T) {
	want := publishedFacts(t)
	unused := maps.Clone(leftOut)
	for _, module := range slices.Sorted(maps.Keys(want)) {
		ours, err := factsOf(FS, module)
		if err != nil {
			t.Fatal(err)
		}
		theirs := map[string]string{}
		for _, line := range want[module] {
			name, fact, _ := strings.Cut(line, " ")
			theirs[name] = fact
		}
		for name, fact := range theirs {
			if ours[name] == "" && (cut[module] != "" || leftOut[module+" "+name] != "" || isLeftOutColumn(module, fact, theirs)) {
				delete(unused, module+" "+name)
				delete(theirs, name)
			}
		}
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Errorf("%s: published (-), ours (+):\n%s", module, diff)
		}
	}
	for name := range unused {
		t.Errorf("%s is in leftOut, but our text has it, or the published one does not", name)
	}
	for _, c := range leftOutColumns {
		theirs := map[string]string{}
		for _, line := range want[c.module] {
			name, fact, _ := strings.Cut(line, " ")
			theirs[name] = fact
		}
		n := uint32(0)
		for _, fact := range theirs {
			if isLeftOutColumn(c.module, fact, theirs) {
				n++
			}
		}
		if n != c.count {
			t.Errorf("%s: %d columns of %s are left out, want %d", c.module, n, c.entry, c.count)
		}
	}
}

// isLeftOutColumn reports whether a fact is about one of leftOutColumns.
func isLeftOutColumn(module, fact string, facts map[string]string) bool {
	id, _, _ := strings.Cut(fact, " ")
	for _, c := range leftOutColumns {
		entry, _, _ := strings.Cut(facts[c.entry], " ")
		var column uint32
		if _, err := fmt.Sscanf(strings.TrimPrefix(id, entry+"."), "%d", &column); err == nil && c.module == module && id == fmt.Sprintf("%s.%d", entry, column) {
			return column >= c.from && column <= c.to
		}
	}
	return false
}

// TestPublishedIsComplete: every module that has a published one at hand is in the file of facts, and
// the file has nothing else.
func TestPublishedIsComplete(t *testing.T) {
	var want []string
	for _, name := range moduleNames(t) {
		if slices.Contains(macroModules, name) || noPublished[name] != "" {
			continue
		}
		want = append(want, name)
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(publishedFacts(t)))); diff != "" {
		t.Errorf("want (-), %s (+):\n%s", publishedFile, diff)
	}
}

// noPublished are modules without a published one to compare with. Tests have their facts as tables.
var noPublished = map[string]string{
	own:                      "our own module; package mib/aaasess compares it with its code",
	"SNMP-COMMUNITY-MIB":     "see snmpObjects",
	"SNMP-USM-HMAC-SHA2-MIB": "see TestProtocols",
	"SNMPv2-TM":              "see TestProtocols",
	"TRANSPORT-ADDRESS-MIB":  "see TestProtocols",
}

// publishedFacts returns the lines of the file of facts by module. If the published modules are at
// hand, the file must agree with them; -update writes it.
func publishedFacts(t *testing.T) map[string][]string {
	t.Helper()
	kept, err := os.ReadFile(publishedFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if fsys := publishedModules(t); len(fsys) > 0 {
		now := publishedLines(t, fsys)
		if *update {
			if err := os.WriteFile(publishedFile, []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
			kept = []byte(now)
		}
		if diff := cmp.Diff(strings.Split(string(kept), "\n"), strings.Split(now, "\n")); diff != "" {
			t.Errorf("%s (-) and the published modules (+):\n%s", publishedFile, diff)
		}
	} else if *update {
		t.Fatal("the published modules are not beside the repository, in shared/reference/mibs")
	}
	facts := map[string][]string{}
	module := ""
	for line := range strings.Lines(string(kept)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "module "); ok {
			module = name
			continue
		}
		if line != "" {
			facts[module] = append(facts[module], line)
		}
	}
	return facts
}

// publishedLines returns the file of facts for the published modules of which we have a text.
func publishedLines(t *testing.T, fsys fs.FS) string {
	t.Helper()
	var b strings.Builder
	for _, module := range moduleNames(t) {
		if slices.Contains(macroModules, module) || noPublished[module] != "" {
			continue
		}
		facts, err := factsOf(fsys, module)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "module %s\n", module)
		for _, name := range slices.Sorted(maps.Keys(facts)) {
			fmt.Fprintf(&b, "%s %s\n", name, facts[name])
		}
		b.WriteString("\n")
	}
	return b.String()
}

// publishedModules returns the published modules beside the repository, without comments, each as
// NAME.txt; none if the folder does not exist. For macroModules it has our texts.
func publishedModules(t *testing.T) fstest.MapFS {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "../shared/reference/mibs")
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`(?m)^\s*([\w-]+)\s+DEFINITIONS`).FindStringSubmatch(string(text))
		if m == nil {
			t.Fatalf("%s is no module", e.Name())
		}
		fsys[m[1]+".txt"] = &fstest.MapFile{Data: []byte(withoutComments(string(text)))}
	}
	for _, name := range macroModules {
		fsys[name+".txt"] = &fstest.MapFile{Data: []byte(moduleText(t, name))}
	}
	return fsys
}

// withoutComments removes comments, also those with a second "--", which our parser rejects.
func withoutComments(text string) string {
	inString := false
	var lines []string
	for line := range strings.Lines(text) {
		for i := range line {
			if line[i] == '"' {
				inString = !inString
			}
			if !inString && strings.HasPrefix(line[i:], "--") {
				line = line[:i] + "\n"
				break
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// factsOf returns what can be compared between two texts of a module, by name: an object's OID, type,
// access, status, units and index; another node's OID; the type of a textual convention.
func factsOf(fsys fs.FS, name string) (map[string]string, error) {
	objs, err := objects(fsys, name)
	if err != nil {
		return nil, err
	}
	facts := map[string]string{}
	for _, o := range objs {
		f := []string{dotted(o.OID), o.Base + o.Refinement, o.Access, o.Status}
		if o.Units != "" {
			f = append(f, "units:"+o.Units)
		}
		if o.Index != nil {
			f = append(f, "index:"+strings.Join(o.Index, ","))
		}
		if o.Augments != "" {
			f = append(f, "augments:"+o.Augments)
		}
		facts[o.Name] = strings.Join(f, " ")
	}
	l := library{fsys: fsys, modules: map[string]*module{}}
	m, err := l.load(name)
	if err != nil {
		return nil, err
	}
	for node := range m.nodes {
		if facts[node] == "" {
			id, err := l.oid(m, node, maxSubIDs)
			if err != nil {
				return nil, err
			}
			facts[node] = dotted(id)
		}
	}
	for _, typeName := range slices.Sorted(maps.Keys(m.types)) {
		base, err := l.base(m, m.types[typeName], maxSubIDs)
		if err != nil {
			return nil, err
		}
		if base.name != "SEQUENCE" {
			facts[typeName] = base.name + base.refinement
		}
	}
	return facts, nil
}
