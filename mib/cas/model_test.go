package cas

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/servers"
)

// naiveTable is the table of RFC 2579, RowStatus, as the module's descriptions restrict it: for an action,
// the allowed states after it, by the state before. A is no row, B is notReady, C is notInService, D is
// active; "" is an error. Action 0 is a SET of columns only.
var naiveTable = map[int32]map[byte]string{
	createAndGo:   {'A': "D"},
	createAndWait: {'A': "BC"},
	active:        {'B': "D", 'C': "D"},
	notInService:  {'B': "C", 'C': "C"},
	destroy:       {'A': "A", 'B': "A", 'C': "A", 'D': "A"},
	0:             {'B': "BC", 'C': "C"},
}

// naiveRow is a row of the model.
type naiveRow struct {
	state    byte
	values   map[string]string // of the columns that were SET
	created  time.Time
	fromFile bool
	listed   bool
}

// naiveModel is casConfigTable without any regard for speed or concurrency.
type naiveModel struct {
	rows    map[string]naiveRow // by index, such as 2.7
	order   []string            // the created servers
	enabled string
}

func (m naiveModel) clone() naiveModel {
	rows := map[string]naiveRow{}
	for k, r := range m.rows {
		r.values = maps.Clone(r.values)
		rows[k] = r
	}
	return naiveModel{rows, slices.Clone(m.order), m.enabled}
}

// set returns the table after a SET, and whether it is allowed. variables are like
// "casAddress.2.7=192.0.2.1".
func (m naiveModel) set(variables []string, now time.Time) (naiveModel, bool) {
	next := m.clone()
	asked := map[string]map[string]string{} // by row and column
	var order []string                      // rows by the position of their status
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		column, index, _ := strings.Cut(name, ".")
		if index != "0" && (!strings.HasPrefix(index, "1.") && !strings.HasPrefix(index, "2.") || strings.HasSuffix(index, ".0")) {
			return m, false
		}
		if slices.Contains([]string{"0.0.0.0", "239.1.1.1", "70000", "3\x00"}, value) || column == rowStatusName && (value == "3" || value == "7") {
			return m, false
		}
		if asked[index] == nil {
			asked[index] = map[string]string{}
		}
		if earlier, ok := asked[index][column]; ok && earlier != value {
			return m, false
		} else if !ok && column == rowStatusName {
			order = append(order, index)
		}
		asked[index][column] = value
	}
	if on, ok := asked["0"]; ok {
		next.enabled = on[enableName]
		delete(asked, "0")
	}
	for index, columns := range asked {
		if !next.change(index, columns, now) {
			return m, false
		}
	}
	for _, index := range order {
		if r := next.rows[index]; r.state == 'D' && asked[index][rowStatusName] != "6" {
			next.order = append(next.order, index)
		}
	}
	next.order = slices.DeleteFunc(next.order, func(index string) bool { return next.rows[index].state != 'D' })
	return next, next.legal()
}

// change changes one row; false means that the table of states does not allow it.
func (m naiveModel) change(index string, columns map[string]string, now time.Time) bool {
	var action int32
	if s, ok := columns[rowStatusName]; ok {
		_, _ = fmt.Sscan(s, &action)
		delete(columns, rowStatusName)
		columns = maps.Clone(columns)
	}
	before, found := m.rows[index]
	if !found {
		before = naiveRow{state: 'A', values: map[string]string{}, created: now}
	}
	allowed := naiveTable[action][before.state]
	if allowed == "" || action == destroy && (len(columns) > 0 || before.listed) {
		return false
	}
	if action == destroy {
		delete(m.rows, index)
		return true
	}
	after := before
	maps.Copy(after.values, columns)
	after.state = 'B'
	if after.values[addressName] != "" && (index[0] == '2' || after.values[authPortName] != "") {
		after.state = 'C'
		if allowed == "D" {
			after.state = 'D'
		}
	}
	m.rows[index] = after
	return strings.Contains(allowed, string(after.state))
}

// legal reports whether all active rows that managers have created may be active together.
func (m naiveModel) legal() bool {
	addresses := map[string]int{}
	for index, r := range m.rows {
		if r.state == 'D' {
			addresses[index[:1]+" "+r.values[addressName]]++
		}
	}
	for index, r := range m.rows {
		if r.state != 'D' || r.fromFile {
			continue
		}
		auth, acct := r.values[authPortName], r.values[acctPortName]
		if auth == "" {
			auth = "1645"
		}
		if acct == "" {
			acct = "1646"
		}
		noKey := index[0] == '1' && r.values[keyName] == "" // the model has no tacacs.secret
		if addresses[index[:1]+" "+r.values[addressName]] > 1 || noKey || index[0] == '2' && auth == acct || index[0] == '1' && auth == "0" {
			return false
		}
	}
	return true
}

// expire ends the rows that are not active and older than 5 minutes.
func (m naiveModel) expire(now time.Time) {
	maps.DeleteFunc(m.rows, func(_ string, r naiveRow) bool { return r.state != 'D' && now.Sub(r.created) >= 5*time.Minute })
}

// readable returns what a manager reads of the table's columns, without their order.
func (m naiveModel) readable() (lines []string) {
	or := func(value, standard string) string {
		if value == "" {
			return standard
		}
		return value
	}
	for index, r := range m.rows {
		line := func(column, value string) { lines = append(lines, column+"."+index+" "+value) }
		line(rowStatusName, map[byte]string{'B': "3", 'C': "2", 'D': "1"}[r.state])
		line(keyName, `""`)
		line(acctPortName, or(r.values[acctPortName], "1646"))
		if r.values[addressName] != "" {
			line(addressName, r.values[addressName])
		}
		if index[0] == '2' || r.values[authPortName] != "" {
			line(authPortName, or(r.values[authPortName], "1645"))
		}
	}
	slices.Sort(lines)
	return lines
}

// drawSet draws the variables of a SET for one to three rows, in any order: mostly sensible ones.
func (m naiveModel) drawSet(t *rapid.T) (variables []string) {
	pool := map[string][]string{
		addressName:  {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.8"},
		authPortName: {"0", "49", "1646", "1812"},
		acctPortName: {"0", "49", "1645", "1813"},
		keyName:      {"", "k", "other"},
	}
	indexes := []string{"1.1", "1.2", "2.1", "2.2", "2.3", "2.8", "2.9"}
	for _, index := range rapid.Permutation(indexes).Draw(t, "indexes")[:rapid.IntRange(1, 3).Draw(t, "rows")] {
		statuses, columns, few := []string{"1", "2", "4", "5", "6", ""}, []string{addressName, authPortName, acctPortName, keyName}, 2
		if rapid.IntRange(0, 9).Draw(t, "sensible") > 0 {
			switch m.rows[index].state {
			case 'D':
				statuses, columns = []string{"6"}, nil
			case 'B', 'C':
				statuses = []string{"1", "1", "2", "6", ""}
			default:
				statuses = []string{"4", "4", "5", "5"}
			}
			few = rapid.IntRange(0, 3).Draw(t, "few")
		}
		status := rapid.SampledFrom(statuses).Draw(t, "status")
		if status != "" {
			variables = append(variables, rowStatusName+"."+index+"="+status)
		}
		for _, column := range columns {
			if (status != "6" || few == 1) && rapid.IntRange(0, few).Draw(t, column) == 0 {
				variables = append(variables, column+"."+index+"="+rapid.SampledFrom(pool[column]).Draw(t, "value"))
			}
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "enable") == 0 {
		variables = append(variables, enableName+".0="+rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value"))
	}
	if rapid.IntRange(0, 9).Draw(t, "bad") == 0 {
		bad := []string{addressName + ".2.1=0.0.0.0", addressName + ".2.3=239.1.1.1", authPortName + ".1.1=70000", keyName + ".2.1=3\x00", rowStatusName + ".2.3=3", rowStatusName + ".2.0=5", rowStatusName + ".3.1=5"}
		variables = append(variables, rapid.SampledFrom(bad).Draw(t, "value"))
	}
	if len(variables) == 0 {
		variables = append(variables, enableName+".0=1")
	}
	return rapid.Permutation(variables).Draw(t, "order")
}

// modelRig compares the module with the model.
type modelRig struct {
	*daemon
	model naiveModel
}

func newModelRig(t *rapid.T, tb testing.TB) *modelRig {
	listed := entryOf(servers.RADIUS, 9, "192.0.2.9")
	listed.Listed = true
	r := &modelRig{daemon: newDaemon(tb, entryOf(servers.RADIUS, 8, "192.0.2.8"), listed)}
	r.keyless[servers.TACACS] = true
	row := func(addr string, listed bool) naiveRow {
		return naiveRow{state: 'D', fromFile: true, listed: listed, values: map[string]string{addressName: addr, authPortName: "1812", acctPortName: "1813"}}
	}
	r.model = naiveModel{map[string]naiveRow{"2.8": row("192.0.2.8", false), "2.9": row("192.0.2.9", true)}, nil, "2"}
	return r
}

// check compares what a manager reads, and the overlay, with the model. Each row has a status and agrees
// with it.
func (r *modelRig) check(t *rapid.T, tb testing.TB) {
	var lines []string
	for _, line := range r.walk(tb, configEntry) {
		if !strings.HasPrefix(line, "casPriority") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	if want := r.model.readable(); !slices.Equal(lines, want) {
		t.Fatalf("the table is\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got := r.get(enableName + ".0"); got != r.model.enabled {
		t.Fatalf("casServerStateChangeEnable is %s, want %s", got, r.model.enabled)
	}
	var order []string
	for _, c := range r.overlay.Created {
		order = append(order, fmt.Sprintf("%d.%d", c.Protocol, c.Index))
		if c.Addr == (netip.Addr{}) {
			t.Fatalf("half a server: %+v", c)
		}
	}
	if !slices.Equal(order, r.model.order) {
		t.Fatalf("the created servers are %v, want %v", order, r.model.order)
	}
}

// TestModel makes random SETs by one and two managers and compares each outcome with the model. A SET
// that is refused changes nothing, and so does one that is undone.
func TestModel(t *testing.T) {
	succeeded, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		r := newModelRig(rt, t)
		count := func(ok bool) {
			if ok {
				succeeded++
			} else {
				refused++
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { r.check(rt, t) },
			"set": func(rt *rapid.T) {
				variables := r.model.drawSet(rt)
				next, ok := r.model.set(variables, r.now)
				err := r.set(assign(strings.Join(variables, " ")))
				if (err == nil) != ok {
					rt.Fatalf("SET %q: %v, want success %t", variables, err, ok)
				}
				if count(ok); ok {
					r.model = next
				}
			},
			"set and undo": func(rt *rapid.T) {
				variables := r.model.drawSet(rt)
				before := r.image(t)
				set, err := r.tree.Test(assign(strings.Join(variables, " ")))
				if err != nil {
					return
				}
				if err := set.Commit(); err != nil {
					rt.Fatalf("SET %q passed its test, then: %v", variables, err)
				}
				if err := set.Undo(); err != nil {
					rt.Fatalf("undo of %q: %v", variables, err)
				}
				if diff := diffImages(before, r.image(t)); diff != "" {
					rt.Fatalf("undo of %q:\n%s", variables, diff)
				}
			},
			"two managers": func(rt *rapid.T) {
				a, b := r.model.drawSet(rt), r.model.drawSet(rt)
				first, errA := r.tree.Test(assign(strings.Join(a, " ")))
				second, errB := r.tree.Test(assign(strings.Join(b, " ")))
				if errA != nil || errB != nil {
					return
				}
				if err := first.Commit(); err != nil {
					rt.Fatal(err)
				}
				r.model, _ = r.model.set(a, r.now)
				next, ok := r.model.set(b, r.now)
				if err := second.Commit(); (err == nil) != ok || err != nil && !strings.HasPrefix(statusOf(err), "commitFailed") {
					rt.Fatalf("SET %q after %q: %v, want success %t", b, a, err, ok)
				}
				if ok {
					r.model = next
				}
				first.Cleanup()
				second.Cleanup()
			},
			"time": func(rt *rapid.T) {
				r.pass(time.Duration(rapid.IntRange(1, 200).Draw(rt, "seconds")) * time.Second)
				r.model.expire(r.now)
			},
		})
	})
	if succeeded < refused/5 {
		t.Errorf("%d SETs succeeded and %d were refused: the test makes little sense", succeeded, refused)
	}
}
