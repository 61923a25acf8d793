package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"aaasess/cmd/aaasessd/internal/metrics"
)

// The files that have expressions about the metrics.
const (
	dashboard = "../../../../deploy/grafana/aaasess.json"
	alerts    = "../../../../deploy/prometheus/aaasess.rules.yml"
)

// usage matches a metric of ours in an expression: what is before it, its name, its matchers and what
// is behind them.
var usage = regexp.MustCompile(`([a-z_]*\()?\b(aaasess_[a-z0-9_]+)(\{[^}]*\})?(\[)?`)

var (
	matcher  = regexp.MustCompile(`([a-z_]+)\s*=?[=~!]`)
	grouping = regexp.MustCompile(`\b(?:by|on|without)\s*\(([^)]*)\)`)
)

// shared are labels that Prometheus adds.
var shared = []string{"job", "instance", "le"}

// expressionFaults returns what is wrong with an expression: names of no metric, labels that no metric
// of it has, and counters whose value is used without rate, increase or the like.
func expressionFaults(expr string, all map[string]metrics.Family) (out []string) {
	labels := slices.Clone(shared)
	for _, m := range usage.FindAllStringSubmatch(expr, -1) {
		f, ok := familyOf(m[2], all)
		if !ok {
			out = append(out, "no metric is called "+m[2])
			continue
		}
		labels = append(labels, f.Labels...)
		for _, l := range matcher.FindAllStringSubmatch(m[3], -1) {
			if !slices.Contains(f.Labels, l[1]) && !slices.Contains(shared, l[1]) {
				out = append(out, m[2]+" has no label "+l[1])
			}
		}
		if f.Type != "gauge" && (m[4] == "" || m[1] != "rate(" && m[1] != "increase(") && m[1] != "label_values(" {
			out = append(out, m[2]+" counts, so it needs rate or increase")
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(g[1], ",") {
			if l = strings.TrimSpace(l); !slices.Contains(labels, l) {
				out = append(out, "no metric here has the label "+l)
			}
		}
	}
	return out
}

// familyOf returns the family that has a metric with this name.
func familyOf(name string, all map[string]metrics.Family) (metrics.Family, bool) {
	if f, ok := all[name]; ok {
		return f, f.Type == "gauge" || f.Type == "counter"
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			f, ok := all[base]
			return f, ok && (f.Type == "histogram" || f.Type == "summary" && suffix != "_bucket")
		}
	}
	return metrics.Family{}, false
}

func byName() map[string]metrics.Family {
	all := map[string]metrics.Family{}
	for _, f := range metrics.Families() {
		all[f.Name] = f
	}
	return all
}

func TestExpressionsCanFail(t *testing.T) {
	all := map[string]metrics.Family{
		"aaasess_a":         {Name: "aaasess_a", Type: "gauge", Labels: []string{"x"}},
		"aaasess_b_total":   {Name: "aaasess_b_total", Type: "counter", Labels: []string{"y"}},
		"aaasess_c_seconds": {Name: "aaasess_c_seconds", Type: "histogram"},
	}
	for _, tt := range []struct {
		expr string
		want int
	}{
		{`sum by (x) (aaasess_a{x="1"}) / on (job) rate(aaasess_b_total{y!~"2"}[5m])`, 0},
		{`histogram_quantile(0.9, sum by (le) (rate(aaasess_c_seconds_bucket[5m])))`, 0},
		{`rate(aaasess_c_seconds_sum[5m]) / rate(aaasess_c_seconds_count[5m])`, 0},
		{`label_values(aaasess_b_total, y)`, 0},
		{`aaasess_z`, 1},
		{`aaasess_a{y="1"}`, 1},
		{`sum by (z) (aaasess_a)`, 1},
		{`aaasess_b_total > 0`, 1},
		{`rate(aaasess_b_total)`, 1},
		{`aaasess_c_seconds`, 1},
		{`rate(aaasess_a_sum[5m])`, 1},
	} {
		if got := expressionFaults(tt.expr, all); len(got) != tt.want {
			t.Errorf("%s: %q", tt.expr, got)
		}
	}
}

// panel is what a test reads of a panel of the dashboard.
type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	Targets []struct {
		Expr   string `json:"expr"`
		Legend string `json:"legendFormat"`
	} `json:"targets"`
	GridPos struct{ X, Y, W, H int } `json:"gridPos"`
}

// TestDashboard: each name in each expression of the dashboard exists, each variable is used, and the
// panels are beside each other.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels     []panel `json:"panels"`
		Templating struct {
			List []struct {
				Name       string `json:"name"`
				Definition string `json:"definition"`
			} `json:"list"`
		} `json:"templating"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	all, ids, exprs := byName(), map[int]string{}, 0
	for i, p := range d.Panels {
		if other, taken := ids[p.ID]; taken {
			t.Errorf("panels %q and %q have one id", p.Title, other)
		}
		ids[p.ID] = p.Title
		for _, o := range d.Panels[:i] {
			a, b := p.GridPos, o.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("panels %q and %q overlap", p.Title, o.Title)
			}
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("panel %q has %d targets", p.Title, len(p.Targets))
		}
		for _, target := range p.Targets {
			exprs++
			for _, fault := range expressionFaults(target.Expr, all) {
				t.Errorf("panel %q: %s: %s", p.Title, target.Expr, fault)
			}
		}
	}
	for _, v := range d.Templating.List {
		for _, fault := range expressionFaults(v.Definition, all) {
			t.Errorf("variable %s: %s", v.Name, fault)
		}
		if used := strings.Count(string(text), "$"+v.Name) + strings.Count(string(text), "${"+v.Name+"}"); used == 0 {
			t.Errorf("variable %s is not used", v.Name)
		}
	}
	if exprs < 40 || len(d.Templating.List) != 8 {
		t.Errorf("the dashboard has %d expressions and %d variables", exprs, len(d.Templating.List))
	}
}

// ruleFile is a file of Prometheus rules.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr         string
			Labels, Annotations map[string]string
		}
	}
}

// TestAlerts: each name in each alert exists, and each alert says how severe it is and what to do.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile(alerts)
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	cases, err := os.ReadFile(strings.Replace(alerts, ".yml", ".test.yml", 1))
	if err != nil {
		t.Fatal(err)
	}
	all, seen := byName(), 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			seen++
			for _, fault := range expressionFaults(r.Expr, all) {
				t.Errorf("%s: %s", r.Alert, fault)
			}
			if s := r.Labels["severity"]; s != "critical" && s != "warning" {
				t.Errorf("%s has the severity %q", r.Alert, s)
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s does not say what it is", r.Alert)
			}
			// That they pass is tested with promtool.
			if n := strings.Count(string(cases), fmt.Sprintf("alertname: %s\n", r.Alert)); n == 0 {
				t.Errorf("%s has no case in which it fires", r.Alert)
			}
			if n := strings.Count(string(cases), fmt.Sprintf("alertname: %s, exp_alerts: []", r.Alert)); n == 0 {
				t.Errorf("%s has no case in which it does not fire", r.Alert)
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d alerts", seen)
	}
}

// TestPageExpressions: the expressions of docs/metrics.md are right.
func TestPageExpressions(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, questions, ok := strings.Cut(string(text), "## Questions")
	if !ok {
		t.Fatal("the page has no questions")
	}
	n := 0
	for part := range strings.SplitSeq(questions, "\n\n") {
		if strings.HasPrefix(part, "    ") {
			n++
			for _, fault := range expressionFaults(part, byName()) {
				t.Errorf("%s\n%s", part, fault)
			}
		}
	}
	if n < 3 {
		t.Errorf("%d expressions", n)
	}
}
