// Package version tells the version and the commit of the running program.
package version

import (
	"cmp"
	"runtime/debug"
)

// The Makefile sets these with -ldflags -X, so that they are also there with -buildvcs=false. ""
// means what the Go tool chain has put into the program.
var (
	version string
	commit  string
)

// Version returns the version: a tag such as v1.2.3, "(devel)" without one, or "unknown".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return cmp.Or(info.Main.Version, "unknown")
	}
	return "unknown"
}

// Commit returns the commit in hex, with "-dirty" behind it if the sources were changed; "" if it is
// unknown.
func Commit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	return format(settings["vcs.revision"], settings["vcs.modified"] == "true")
}

func format(revision string, modified bool) string {
	if revision != "" && modified {
		return revision + "-dirty"
	}
	return revision
}

// String returns the version and the commit: "v1.2.3, commit 0123abcd".
func String() string { return describe(Version(), Commit()) }

func describe(version, commit string) string {
	if commit == "" {
		return version
	}
	return version + ", commit " + commit
}
