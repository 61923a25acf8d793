// Checks dashboards against the schema of Grafana, for the tests of this project, which does not depend
// on its SDK: see cmd/aaasessd/internal/metrics/grafana_partners_test.go.
module aaasess/internal/partner/grafana

go 1.26.0

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
