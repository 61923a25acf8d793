package controltest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

var camelCase = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

// BadKeys returns the keys of a JSON document that are not camelCase, each with its place. The keys
// of an object whose own key is one of named are names from the configuration, and may be anything.
func BadKeys(document []byte, named ...string) ([]string, error) {
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return nil, err
	}
	bad := badKeys(value, "", false, named)
	slices.Sort(bad)
	return bad, nil
}

// badKeys returns the bad keys of a value. isNamed: its own keys are names.
func badKeys(value any, at string, isNamed bool, named []string) (bad []string) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			bad = append(bad, badKeys(item, fmt.Sprintf("%s[%d]", at, i), false, named)...)
		}
	case map[string]any:
		for key, item := range v {
			place := at + "." + key
			if !isNamed && !camelCase.MatchString(key) {
				bad = append(bad, place)
			}
			bad = append(bad, badKeys(item, place, !isNamed && slices.Contains(named, key), named)...)
		}
	}
	return bad
}
