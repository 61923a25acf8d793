//go:build partners

package metrics_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// checkDashboard checks a dashboard against the schema that Grafana publishes.
func checkDashboard(t *testing.T, file string) (faults string, err error) {
	t.Helper()
	file, err = filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	return partner.Try(t, limit, "go", "-C", "../../../../internal/partner/grafana", "run", ".", file)
}

// TestDashboardHasGrafanasSchema: the dashboard is as Grafana's schema wants it: the dashboard, its
// variables, its panels with their options, and their queries.
func TestDashboardHasGrafanasSchema(t *testing.T) {
	if faults, err := checkDashboard(t, dashboard); err != nil {
		t.Errorf("%v\n%s", err, faults)
	}
}

// TestGrafanasSchemaCanFail: a wrong key, type or value is a fault, also deep in a panel.
func TestGrafanasSchemaCanFail(t *testing.T) {
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"a key of the dashboard", `"editable": true`, `"editible": true`, "editible"},
		{"a type", `"refresh": "30s"`, `"refresh": 30`, "refresh"},
		{"a key of a query", `"legendFormat":`, `"legend":`, "legend"},
		{"an option of a panel", `"placement": "bottom"`, `"place": "bottom"`, "place"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(string(text), tt.old, tt.new, 1)
			if changed == string(text) {
				t.Fatalf("the dashboard has no %s", tt.old)
			}
			file := filepath.Join(t.TempDir(), "dashboard.json")
			if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			if faults, err := checkDashboard(t, file); err == nil || !strings.Contains(faults+err.Error(), tt.want) {
				t.Errorf("%v\n%s", err, faults)
			}
		})
	}
}
