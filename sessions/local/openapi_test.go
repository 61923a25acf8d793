package local

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	localreport "aaasess/sessions/local/report"
)

// document is what the tests read of an OpenAPI document.
type document struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string                     `json:"operationId"`
		Summary     string                     `json:"summary"`
		Responses   map[string]json.RawMessage `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Type        string `json:"type"`
				Ref         string `json:"$ref"`
				Description string `json:"description"`
				Items       struct {
					Type string `json:"type"`
					Ref  string `json:"$ref"`
				} `json:"items"`
			} `json:"properties"`
			Required []string `json:"required"`
		} `json:"schemas"`
		Responses map[string]json.RawMessage `json:"responses"`
	} `json:"components"`
}

func openAPI(t *testing.T) (d document) {
	t.Helper()
	w := newWorld(t)
	r := w.send(eve, http.MethodGet, pathOpenAPI, "")
	if err := json.Unmarshal(r.Body.Bytes(), &d); err != nil || r.Code != http.StatusOK || !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Fatal(r.Code, d.OpenAPI, err)
	}
	return d
}

// TestOpenAPIPaths: the document has the paths of the mux, and what it refers to.
func TestOpenAPIPaths(t *testing.T) {
	d := openAPI(t)
	var got []string
	for path, methods := range d.Paths {
		for method, op := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
			if op.Summary == "" || op.OperationID == "" {
				t.Errorf("%s is not described", path)
			}
		}
	}
	slices.Sort(got)
	// The daemon adds those of the control socket.
	routes := append(newWorld(t).routes, "GET "+localreport.PathSessions, "GET "+localreport.PathSessions+"/{id}", "POST "+localreport.PathDisconnect)
	if want := slices.Sorted(slices.Values(routes)); !slices.Equal(got, want) {
		t.Errorf("document %q\nmux      %q", got, want)
	}
	for _, m := range regexp.MustCompile(`#/components/(schemas|responses)/(\w+)`).FindAllStringSubmatch(string(openapi), -1) {
		_, schema := d.Components.Schemas[m[2]]
		_, response := d.Components.Responses[m[2]]
		if m[1] == "schemas" && !schema || m[1] == "responses" && !response {
			t.Errorf("%s is missing", m[0])
		}
	}
}

// TestOpenAPISchemas: each schema has the members of its struct, with their types.
func TestOpenAPISchemas(t *testing.T) {
	d := openAPI(t)
	for name, typ := range map[string]reflect.Type{
		"Report": reflect.TypeFor[localreport.Report](), "Attribute": reflect.TypeFor[localreport.Attribute](), "Answer": reflect.TypeFor[localreport.Answer](),
		"Problem": reflect.TypeFor[localreport.Problem](), "End": reflect.TypeFor[localreport.End](), "Signal": reflect.TypeFor[localreport.Signal](),
		"Gap": reflect.TypeFor[localreport.Gap](), "Disconnect": reflect.TypeFor[localreport.Disconnect](), "DisconnectResult": reflect.TypeFor[localreport.DisconnectResult](),
	} {
		schema := d.Components.Schemas[name]
		var want []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			member, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			want = append(want, member)
			p := schema.Properties[member]
			if got, want := p.Type+p.Ref+" "+p.Items.Type+p.Items.Ref, jsonType(f.Type); strings.TrimSpace(got) != want {
				t.Errorf("%s.%s is %q, want %q", name, member, got, want)
			}
			if optional := options == "omitempty"; optional == slices.Contains(schema.Required, member) {
				t.Errorf("%s.%s: optional: %t", name, member, optional)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
}

// jsonType returns how a schema tells a type.
func jsonType(t reflect.Type) string {
	if t == reflect.TypeFor[json.RawMessage]() {
		return "object"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Uint32, reflect.Uint64:
		return "integer"
	case reflect.Slice:
		return "array " + jsonType(t.Elem())
	}
	if t.Name() == "Time" {
		return "string"
	}
	return "#/components/schemas/" + t.Name()
}

// TestOpenAPIStatuses: the reports have the statuses that the code has.
func TestOpenAPIStatuses(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"200": true}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`problem\(http\.Status(\w+)`).FindAllStringSubmatch(string(text), -1) {
			used[statusOf(t, m[1])] = true
		}
	}
	d := openAPI(t)
	all := map[string]bool{}
	for _, verb := range localreport.Verbs() {
		for code := range d.Paths[verb.Path()]["post"].Responses {
			all[code] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
		t.Errorf("the document has %q, the code %q", got, want)
	}
}

// statusOf returns the number of a constant of net/http.
func statusOf(t *testing.T, name string) string {
	t.Helper()
	for code := range 600 {
		if text := strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(code)); text == name {
			return fmt.Sprint(code)
		}
	}
	t.Fatalf("no status is called %s", name)
	return ""
}
