package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// keys walks all keys of a raw struct, with list entries as path[] and map entries as path.default.
func keys(t reflect.Type, path string, visit func(path string, f field)) {
	for _, f := range fieldsOf(t) {
		visit(join(path, f.key), f)
		typ, at := f.typ, join(path, f.key)
		switch typ.Kind() {
		case reflect.Slice:
			typ, at = typ.Elem(), at+"[]"
		case reflect.Map:
			typ, at = typ.Elem(), at+"."+f.tag.Get("keys")
		case reflect.Pointer:
			typ = typ.Elem()
		}
		if _, leaf := leaves[typ]; !leaf && typ.Kind() == reflect.Struct {
			keys(typ, at, visit)
		}
	}
}

func allKeys(visit func(path string, f field)) {
	keys(reflect.TypeFor[rawConfig](), "", visit)
	keys(reflect.TypeFor[rawSecretSource](), "radius.clients[].secret", visit)
}

// faultsOfTags is what is wrong with the tags of a field.
func faultsOfTags(f field) (faults []string) {
	known := []string{"yaml", "doc", "default", "required", "enum", "min", "max", "keys", "restart"}
	for _, pair := range strings.Split(string(f.tag), `" `) {
		if name, _, _ := strings.Cut(pair, ":"); !slices.Contains(known, name) {
			faults = append(faults, "unknown tag "+name)
		}
	}
	if f.key == "" || strings.Trim(f.key, "abcdefghijklmnopqrstuvwxyz-") != "" {
		faults = append(faults, "key is not kebab-case")
	}
	if doc := f.tag.Get("doc"); !strings.HasSuffix(doc, ".") {
		faults = append(faults, "no doc, or no sentence")
	}
	_, hasDefault := f.tag.Lookup("default")
	_, isLeaf := leaves[f.typ]
	if isLeaf && f.tag.Get("required") == "" && !hasDefault {
		faults = append(faults, "neither required nor a default")
	}
	if f.typ.Kind() == reflect.Pointer {
		if hasDefault {
			faults = append(faults, "a pointer, and a default")
		}
		if doc := f.tag.Get("doc"); !strings.Contains(doc, "If missing") && !strings.Contains(doc, "Without it") {
			faults = append(faults, "the doc does not say what a missing key is")
		}
	}
	if hasDefault && f.tag.Get("required") != "" {
		faults = append(faults, "required, and a default")
	}
	return faults
}

func TestTags(t *testing.T) {
	seen := 0
	allKeys(func(path string, f field) {
		seen++
		if strings.HasPrefix(path, "radius.clients[].secret.") {
			return // one of the two, neither has a default
		}
		for _, fault := range faultsOfTags(f) {
			t.Errorf("%s: %s", path, fault)
		}
	})
	if seen < 50 {
		t.Errorf("walked only %d keys", seen)
	}
}

func TestTagsFailing(t *testing.T) {
	type bad struct {
		A string `yaml:"A" doc:"Of no case."`
		B int    `yaml:"b" doc:"no sentence" default:"1"`
		C int    `yaml:"c" doc:"Both." default:"1" required:"yes"`
		D int    `yaml:"d" doc:"Mistyped." default:"1" mim:"1"`
		E *int   `yaml:"e" doc:"If missing, 1." default:"1"`
		F *int   `yaml:"f" doc:"Optional."`
	}
	want := []string{
		"key is not kebab-case", "no doc, or no sentence", "required, and a default", "unknown tag mim",
		"a pointer, and a default", "the doc does not say what a missing key is",
	}
	for i, f := range fieldsOf(reflect.TypeFor[bad]()) {
		if !slices.Contains(faultsOfTags(f), want[i]) {
			t.Errorf("%s: %q not found", f.key, want[i])
		}
	}
}

// Diff tells of exactly the keys that have the restart tag; of a whole mapping, if it has it.
func TestRestartTags(t *testing.T) {
	var tagged []string
	allKeys(func(path string, f field) {
		if f.tag.Get("restart") != "" {
			tagged = append(tagged, path)
		}
	})
	var diffed []string
	for _, k := range restartKeys {
		diffed = append(diffed, k.path)
	}
	slices.Sort(tagged)
	slices.Sort(diffed)
	if !slices.Equal(tagged, diffed) {
		t.Errorf("restart tags %q\nDiff tells of %q", tagged, diffed)
	}
}
