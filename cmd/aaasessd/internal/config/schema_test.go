package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/goldentest"

	"github.com/goccy/go-yaml"
)

const schemaFile = "../../../../docs/aaasess.schema.json"

var update = flag.Bool("update", false, "write "+schemaFile)

func TestSchemaFile(t *testing.T) {
	goldentest.Check(t, schemaFile, string(Schema()), *update, "go test -run TestSchemaFile -update")
}

// violations checks a value against a schema. It knows only the keywords that our schemas use.
func violations(schema map[string]any, value any, path string) (found []string) {
	add := func(what string) { found = append(found, path+": "+what) }
	if list, ok := schema["oneOf"].([]any); ok {
		fits := 0
		for _, s := range list {
			if len(violations(s.(map[string]any), value, path)) == 0 {
				fits++
			}
		}
		if fits != 1 {
			add("oneOf")
		}
		return found
	}
	switch value := value.(type) {
	case map[string]any:
		if schema["type"] != "object" {
			add("type")
			return found
		}
		properties, _ := schema["properties"].(map[string]any)
		for key, v := range value {
			s, ok := properties[key].(map[string]any)
			patterns, _ := schema["patternProperties"].(map[string]any)
			for pattern, values := range patterns {
				if regexp.MustCompile(pattern).MatchString(key) {
					s, ok = values.(map[string]any)
				}
			}
			if !ok {
				found = append(found, strings.TrimPrefix(path+"."+key, ".")+": additionalProperties")
				continue
			}
			found = append(found, violations(s, v, strings.TrimPrefix(path+"."+key, "."))...)
		}
		required, _ := schema["required"].([]any)
		for _, key := range required {
			if _, ok := value[key.(string)]; !ok {
				add("required")
			}
		}
		if limit, ok := schema["maxProperties"].(float64); ok && len(value) > int(limit) {
			add("maxProperties")
		}
		if limit, ok := schema["minProperties"].(float64); ok && len(value) < int(limit) {
			add("minProperties")
		}
	case []any:
		if schema["type"] != "array" {
			add("type")
			return found
		}
		if limit, ok := schema["minItems"].(float64); ok && len(value) < int(limit) {
			add("minItems")
		}
		for i, v := range value {
			found = append(found, violations(schema["items"].(map[string]any), v, fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		found = append(found, scalarViolations(schema, value, path)...)
	}
	return found
}

func scalarViolations(schema map[string]any, value any, path string) (found []string) {
	add := func(what string) { found = append(found, path+": "+what) }
	kinds := map[string]string{"string": "string", "bool": "boolean", "uint64": "integer", "int64": "integer"}
	if schema["type"] != kinds[fmt.Sprintf("%T", value)] {
		add("type")
		return found
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, value) {
		add("enum")
	}
	if text, ok := value.(string); ok {
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(text) {
			add("pattern")
		}
		if limit, ok := schema["minLength"].(float64); ok && len(text) < int(limit) {
			add("minLength")
		}
		if limit, ok := schema["maxLength"].(float64); ok && len([]rune(text)) > int(limit) {
			add("maxLength")
		}
	}
	if n, ok := value.(uint64); ok {
		if lo, ok := schema["minimum"].(float64); ok && float64(n) < lo {
			add("minimum")
		}
		if hi, ok := schema["maximum"].(float64); ok && float64(n) > hi {
			add("maximum")
		}
	}
	return found
}

func checkSchema(t *testing.T, text string) []string {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return violations(schema, value, "")
}

func TestSchemaTakesOurFiles(t *testing.T) {
	reference := readReference(t)
	for name, text := range map[string]string{
		"default":     string(defaultYAML),
		"reference":   reference,
		"all of it":   uncommented(reference),
		"alternative": strings.Replace(reference, `"change me 1"`, "{file: x}", 1),
	} {
		if got := checkSchema(t, text); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A key with several forms has a schema for each form.
func TestSchemaTakes(t *testing.T) {
	for _, text := range []string{
		"snmp: {responder: {limits: {response-octets: 0}, engine-id: ''}}",
		"snmp: {responder: {system: {location: '', contact: ' ~'}}}",
		"snmp: {responder: {limits: {response-octets: 1GiB}, engine-id: '0x80007ED904'}}",
		"radius: {secret: s, servers: [{name: a, address: b}]}",
		"tacacs: {secret: s, servers: [{name: a, address: b}]}",
		"snmp: {responder: {groups: [{name: g, read: '', write: all}], views: [{name: v, include: [.1.3.6, '1.3']}]}}",
	} {
		if got := checkSchema(t, text); len(got) > 0 {
			t.Errorf("%s: %q", text, got)
		}
		if _, err := Parse("aaasess.yaml", []byte(text), "."); err != nil {
			t.Error(err)
		}
	}
}

func TestSchemaRejects(t *testing.T) {
	for text, want := range map[string]string{
		"logs: {}":                                              "logs: additionalProperties",
		"log: {level: loud}":                                    "log.level: enum",
		"log: debug":                                            "log: type",
		"state: 1":                                              "state: type",
		"snmp: {session-mib-disconnect: 'on'}":                  "snmp.session-mib-disconnect: type",
		"snmp: {responder: true}":                               "snmp.responder: type",
		"snmp: {responder: {community: public}}":                "snmp.responder.community: additionalProperties",
		"snmp: {responder: {engine-id: '800000'}}":              "snmp.responder.engine-id: pattern",
		"snmp: {responder: {max-message-size: 100}}":            "snmp.responder.max-message-size: minimum",
		"snmp: {responder: {system: {object-id: enterprises}}}": "snmp.responder.system.object-id: pattern",
		"snmp: {responder: {system: {name: naïve}}}":            "snmp.responder.system.name: pattern",
		"snmp: {responder: {system: {contact: " + strings.Repeat("x", 256) + "}}}":          "snmp.responder.system.contact: maxLength",
		"snmp: {responder: {system: {object-id: 1.3}}}":                                     "snmp.responder.system.object-id: type",
		"snmp: {responder: {limits: {response-octets: 1}}}":                                 "snmp.responder.limits.response-octets: oneOf",
		"snmp: {responder: {limits: {response-octets: 16MB}}}":                              "snmp.responder.limits.response-octets: oneOf",
		"snmp: {responder: {views: [{name: v}]}}":                                           "snmp.responder.views[0]: required",
		"snmp: {responder: {views: [{name: v, include: [internet]}]}}":                      "snmp.responder.views[0].include[0]: pattern",
		"snmp: {responder: {groups: [{name: g h}]}}":                                        "snmp.responder.groups[0].name: pattern",
		"snmp: {responder: {groups: [{name: g, write: a b}]}}":                              "snmp.responder.groups[0].write: pattern",
		"snmp: {responder: {groups: [{name: g, level: priv}]}}":                             "snmp.responder.groups[0].level: enum",
		"snmp: {responder: {communities: [{community: c, group: g}]}}":                      "snmp.responder.communities[0]: required",
		"snmp: {responder: {users: [{name: u, group: g, auth: MD5}]}}":                      "snmp.responder.users[0].auth: type",
		"snmp: {responder: {users: [{name: u, group: g, priv: {}}]}}":                       "snmp.responder.users[0].priv: required",
		"snmp: {notifications: [{name: n, address: '', version: v2c}]}":                     "snmp.notifications[0].address: pattern",
		"snmp: {notifications: [{name: n, address: h, version: v1}]}":                       "snmp.notifications[0].version: enum",
		"snmp: {notifications: [{name: n, address: h, version: v3, source-address: eth0}]}": "snmp.notifications[0].source-address: pattern",
		"sessions: {remember: 5}":                                                           "sessions.remember: type",
		"sessions: {remember: 5 s}":                                                         "sessions.remember: pattern",
		"store: {min-free: 256MB}":                                                          "store.min-free: pattern",
		"store: {max-size: 0}":                                                              "store.max-size: type",
		"radius: {nas-identifier: ''}":                                                      "radius.nas-identifier: minLength",
		"radius: {nas-identifier: " + strings.Repeat("x", 254) + "}":                        "radius.nas-identifier: maxLength",
		"radius: {timeout: 5}":                                                              "radius.timeout: type",
		"radius: {retransmit: 101}":                                                         "radius.retransmit: maximum",
		"radius: {backoff: 60m}":                                                            "radius.backoff: type",
		"radius: {backoff: {retry: 1001}}":                                                  "radius.backoff.retry: maximum",
		"radius: {dead-criteria: {tries: 0}}":                                               "radius.dead-criteria.tries: minimum",
		"radius: {acct-on-off-groups: [{}]}":                                                "radius.acct-on-off-groups[0]: required",
		"radius: {servers: [{name: a, address: b, secret: c, retransmit: 101}]}":            "radius.servers[0].retransmit: maximum",
		"radius: {servers: [{name: a, address: b, secret: c, backoff: {delay: 1m}}]}":       "radius.servers[0].backoff.delay: additionalProperties",
		"radius: {groups: [{name: a, servers: [b], hold-down: 1d}]}":                        "radius.groups[0].hold-down: pattern",
		"radius: {groups: [{name: a, servers: [b], access-algorithm: random}]}":             "radius.groups[0].access-algorithm: enum",
		"radius: {groups: [{name: a, servers: [b], source-address: eth0}]}":                 "radius.groups[0].source-address: pattern",
		"radius: {groups: [{name: a, servers: [b], drain-rate: 1000001}]}":                  "radius.groups[0].drain-rate: maximum",
		"radius: {groups: [{name: a, servers: [b], acct-on-off: true}]}":                    "radius.groups[0].acct-on-off: type",
		"radius: {servers: [{name: a, address: b, secret: c, port: 65536}]}":                "radius.servers[0].port: maximum",
		"radius: {servers: [{name: a, secret: c}]}":                                         "radius.servers[0]: required",
		"radius: {servers: [{name: a, address: b, secret: 1}]}":                             "radius.servers[0].secret: oneOf",
		"radius: {servers: [{name: a, address: b, secret: {file: a, env: b}}]}":             "radius.servers[0].secret: oneOf",
		"radius: {servers: [{name: a, address: b, secret: {}}]}":                            "radius.servers[0].secret: oneOf",
		"radius: {groups: [{name: a, servers: []}]}":                                        "radius.groups[0].servers: minItems",
		"accounting: {network: {\"a b\": {record: none}}}":                                  "accounting.network.a b: additionalProperties",
		"accounting: {network: {vpdn: {record: wait-start}}}":                               "accounting.network.vpdn.record: enum",
		"accounting: {dnis-map: {numbers: {\"7 7\": {record: none}}}}":                      "accounting.dnis-map.numbers.7 7: additionalProperties",
		"accounting: {apply: [{nas-port: [1 to 16], network: red}]}":                        "accounting.apply[0].nas-port[0]: oneOf",
		"accounting: {exec: {default: {record: none, methods: [radius]}}}":                  "accounting.exec.default.methods[0]: pattern",
	} {
		if got := checkSchema(t, text); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
