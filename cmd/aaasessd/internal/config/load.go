package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

//go:embed default.yaml
var defaultYAML []byte

// DefaultText returns the built-in configuration as a file, with its comments.
func DefaultText() []byte { return bytes.Clone(defaultYAML) }

// Default returns the built-in configuration (R73). It listens on loopback, and its file names are
// relative to the working directory.
func Default() *Config {
	c, err := Parse("default.yaml", defaultYAML, ".")
	if err != nil {
		panic(err) // a test parses it
	}
	return c
}

// Load reads and parses a configuration file. The error is an [os.PathError], wrapped, or that of
// [Parse], with the path as the name.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data, filepath.Dir(path))
}

// LogOf returns the log settings of a file whose other keys may be invalid, for the errors of the
// start. What it cannot read has the default.
func LogOf(path string) Log {
	raw := rawConfig{Log: Log{Format: "text"}}
	if data, err := os.ReadFile(path); err == nil {
		_, _ = engine.Decode(path, data, filepath.Dir(path), &raw) // Load reports the errors
	}
	return raw.Log
}

// Parse parses and checks the text of a configuration file, and reads the secrets that it refers
// to. name is the name of the file in errors. Relative file names in the text start in dir. The
// error joins all faults, each a [*strictyaml.Error].
func Parse(name string, data []byte, dir string) (*Config, error) {
	var raw rawConfig
	doc, err := engine.Decode(name, data, dir, &raw)
	if err != nil {
		return nil, err
	}
	c := checker{doc}.config(&raw)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	c.fixed, c.warnings = engine.Fixed(&raw), doc.Warnings()
	c.name, c.effective = name, doc.Effective(&raw)
	return c, nil
}

// Schema returns the JSON schema of the configuration file, for editors.
func Schema() []byte { return engine.Schema("aaasess configuration", reflect.TypeFor[rawConfig]()) }
