package config

import "aaasess/cmd/internal/strictyaml"

// Diff is the keys that differ from those of old and that a reload can't change, as their tags in the
// file's structs say: sockets and files that are open, and what packages are told only once. Only a
// restart of the daemon makes them count. All other keys can be changed while it runs.
func (c *Config) Diff(old *Config) (needRestart []string) {
	return strictyaml.Changed(old.fixed, c.fixed)
}
