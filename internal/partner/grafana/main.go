// Command grafana checks dashboards against the schema that Grafana publishes in its foundation SDK:
// panels and queries too, each key and each type. It prints what is wrong, one fault a line, and ends
// with 1 if there is anything.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins() // the schemas of the options of panels and queries
	code := 0
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	os.Exit(code)
}

func check(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var d dashboard.Dashboard
	err = d.UnmarshalJSONStrict(b)
	// Its error is never nil: an empty list means that there is none.
	if faults, ok := errors.AsType[cog.BuildErrors](err); err != nil && (!ok || len(faults) > 0) {
		return err
	}
	return d.Validate()
}
