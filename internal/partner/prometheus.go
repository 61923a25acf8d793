package partner

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// PrometheusProc is a Prometheus server with its storage in the test's temporary folder.
type PrometheusProc struct {
	URL string // of its API and its pages, without a path

	process
}

// Prometheus starts one with a configuration, whose rule files must have absolute names, and returns
// when it answers. It ends with the test. If the test fails, its log is added to the test's.
func Prometheus(t testing.TB, config string) *PrometheusProc {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", FreeTCPPort(t))
	p := &PrometheusProc{URL: "http://" + addr}
	p.process = process{
		t: t, name: "prometheus", path: lookPath(t, "prometheus"),
		args:  []string{"--config.file=" + conf, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + addr},
		ready: func(line string) bool { return strings.Contains(line, "Server is ready to receive web requests") },
	}
	p.begin()
	return p
}

// apiTimeout is how long a request may take.
const apiTimeout = time.Minute

// API asks a path below /api/v1 and decodes the data of the answer. An answer that is no success is an
// error with the text of Prometheus.
func (p *PrometheusProc) API(path string, parameters url.Values, data any) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), apiTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v1/"+path+"?"+parameters.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	var out struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return fmt.Errorf("partner: prometheus: %s: %w", answer.Status, err)
	}
	if out.Status != "success" {
		return fmt.Errorf("partner: prometheus: %s", out.Error)
	}
	return json.Unmarshal(out.Data, data)
}

// Sample is one element of the result of a query.
type Sample struct {
	Metric map[string]string
	Value  [2]any // the time in seconds since 1970, and the value as text
}

// Query evaluates an expression now. The result must be a vector.
func (p *PrometheusProc) Query(expr string) (samples []Sample, err error) {
	var data struct {
		ResultType string
		Result     []Sample
	}
	if err := p.API("query", url.Values{"query": {expr}}, &data); err != nil {
		return nil, err
	}
	if data.ResultType != "vector" {
		return nil, fmt.Errorf("partner: prometheus: %s is a %s", expr, data.ResultType)
	}
	return data.Result, nil
}
