package house

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources calls fn for each Go file of the module.
func sources(t *testing.T, fn func(path string, text []byte)) {
	t.Helper()
	root := "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"bin", "var", "testdata"}, d.Name())):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			fn(filepath.ToSlash(strings.TrimPrefix(path, root+"/")), text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

const maxLines = 500

// faults returns the problems of one file.
func faults(path string, text []byte) []string {
	var out []string
	if n := bytes.Count(text, []byte("\n")); n > maxLines {
		out = append(out, "has more than 500 lines: split it")
	}
	if slices.Contains([]string{"util", "common", "helpers", "types"}, filepath.Base(filepath.Dir(path))) {
		out = append(out, "is in a package whose name says nothing: name what it does")
	}
	if bytes.Contains(text, []byte("\nfunc init()")) {
		out = append(out, "has an init function: call a function explicitly")
	}
	return out
}

func TestFiles(t *testing.T) {
	docs, packages := map[string]bool{}, map[string]bool{}
	sources(t, func(path string, text []byte) {
		for _, f := range faults(path, text) {
			t.Errorf("%s %s", path, f)
		}
		dir := filepath.Dir(path)
		packages[dir] = true
		docs[dir] = docs[dir] || !strings.HasSuffix(path, "_test.go") && hasPackageComment(text)
	})
	for dir := range packages {
		if !docs[dir] {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func hasPackageComment(text []byte) bool {
	before, _, found := bytes.Cut(append([]byte("\n"), text...), []byte("\npackage "))
	lines := strings.Split(strings.TrimRight(string(before), " "), "\n")
	return found && strings.HasPrefix(lines[len(lines)-1], "//") && !strings.HasPrefix(lines[len(lines)-1], "//go:")
}

// TestFaultsCanBeFound: each rule has a file that breaks it.
func TestFaultsCanBeFound(t *testing.T) {
	tests := []struct {
		path, text string
		want       int
	}{
		{"mib/oid.go", "package mib\n", 0},
		{"mib/oid.go", strings.Repeat("\n", 501), 1},
		{"x/util/a.go", "package util\n", 1},
		{"x/a.go", "package a\n\nfunc init() {}\n", 1},
	}
	for _, tt := range tests {
		if got := faults(tt.path, []byte(tt.text)); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", tt.path, got, tt.want)
		}
	}
	if hasPackageComment([]byte("//go:build x\n\npackage a\n")) || !hasPackageComment([]byte("// Package a is.\npackage a\n")) {
		t.Error("package comments are not recognized")
	}
}
