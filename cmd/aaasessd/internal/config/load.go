package config

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

//go:embed default.yaml
var defaultYAML []byte

// Default is the embedded configuration (R73): all on loopback, file names relative to the working
// directory.
func Default() *Config {
	c, err := Parse("default.yaml", defaultYAML, ".")
	if err != nil {
		panic(err) // the tests parse it
	}
	return c
}

// Load reads a configuration file. If the file can be read, the error is that of
// [Parse], with the path as the name. Otherwise it wraps an [os.PathError].
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data, filepath.Dir(path))
}

// Parse checks the text of a configuration file, and reads the secrets that it refers to. Errors call the
// file name; relative file names in it begin in dir. The error joins all faults, each a
// [*strictyaml.Error].
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
	c.fixed = engine.Fixed(&raw)
	return c, nil
}

// Schema is the JSON schema of the configuration file, for editors.
func Schema() []byte { return engine.Schema("aaasess configuration", reflect.TypeFor[rawConfig]()) }
